/** The generated pages of docs/reference are committed, and as the code says. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { referencePages } from "../src/cli/reference.ts";

const read = (path: string): string => {
  const file = fileURLToPath(new URL(`../${path}`, import.meta.url));
  return existsSync(file) ? readFileSync(file, "utf8") : "";
};

test.each([...(await referencePages())])("%s is fresh; if not: npm run docs", (path, text) => {
  expect(read(path)).toBe(text);
});

test("every example file in the pages is a right configuration", async () => {
  const { loadConfig } = await import("../src/config/load.ts");
  const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  const page = (await referencePages()).get("docs/reference/configuration.md") ?? "";
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map((match) => match[1] ?? "")
    .filter((text) => text.includes("endpoints:"));
  expect(examples).toHaveLength(1);
  const cwd = mkdtempSync(join(tmpdir(), "tollgate-reference-"));
  try {
    for (const example of examples) {
      writeFileSync(join(cwd, "tollgate.yaml"), example);
      const env = { AZURE_OPENAI_ENDPOINT: "https://x.openai.azure.com", AZURE_OPENAI_API_KEY: "key" };
      expect(loadConfig({ flags: {}, env, cwd, pricedModels: () => [] }).models).toHaveLength(1);
    }
  } finally {
    rmSync(cwd, { recursive: true });
  }
});
