import { type ReactNode, useState } from "react";
import { addressFor } from "../../api/client.ts";
import { Snippet } from "../../ui/form.tsx";
import { Button, Card } from "../../ui/parts.tsx";

const languages = ["curl", "Python", "JavaScript", "Azure client"] as const;
type Language = (typeof languages)[number];

/** The same request for those who copy. The key stands as a variable: no secret gets into a clipboard by itself. */
export function SnippetsCard({ model, message }: { model: string; message: string }): ReactNode {
  const [language, setLanguage] = useState<Language>("curl");
  return (
    <Card
      title="In your own program"
      actions={languages.map((one) => (
        <Button key={one} kind="quiet" isPressed={one === language} onClick={() => setLanguage(one)}>
          {one}
        </Button>
      ))}
    >
      <Snippet text={snippetOf(language, { model, message })} what={`${language} example`} />
    </Card>
  );
}

function snippetOf(language: Language, { model, message }: { model: string; message: string }): string {
  const base = addressFor("../v1");
  const text = JSON.stringify(message);
  switch (language) {
    case "curl":
      return `curl -N ${base}/chat/completions \\\n  -H "Authorization: Bearer $TOLLGATE_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${JSON.stringify({ model, stream: true, messages: [{ role: "user", content: message }] }).replaceAll("'", "'\\''")}'`;
    case "Python":
      return `import os\nfrom openai import OpenAI\n\nclient = OpenAI(base_url="${base}", api_key=os.environ["TOLLGATE_KEY"])\nstream = client.chat.completions.create(\n    model="${model}", stream=True, messages=[{"role": "user", "content": ${text}}]\n)\nfor chunk in stream:\n    if chunk.choices:\n        print(chunk.choices[0].delta.content or "", end="")`;
    case "JavaScript":
      return `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${base}", apiKey: process.env.TOLLGATE_KEY });\nconst stream = await client.chat.completions.create({\n  model: "${model}", stream: true, messages: [{ role: "user", content: ${text} }],\n});\nfor await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");`;
    case "Azure client":
      return `import { AzureOpenAI } from "openai";\n\nconst client = new AzureOpenAI({\n  endpoint: "${addressFor("..").replace(/\/$/, "")}", apiKey: process.env.TOLLGATE_KEY, apiVersion: "2024-12-01-preview",\n});\nconst answer = await client.chat.completions.create({\n  model: "${model}", messages: [{ role: "user", content: ${text} }],\n});\nconsole.log(answer.choices[0].message.content);`;
  }
}
