import { addressFor, errorOf } from "../../api/client.ts";

/** One streamed request, as far as it has come. */
export interface Exchange {
  readonly state: "none" | "asked" | "streaming" | "ended";
  readonly text: string;
  readonly requestId: string | null;
  /** Credits, exact decimal text, from the answer's head. */
  readonly hold: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly firstTokenMs: number | null;
  readonly totalMs: number | null;
}

export const noExchange: Exchange = {
  state: "none",
  text: "",
  requestId: null,
  hold: null,
  model: null,
  endpoint: null,
  firstTokenMs: null,
  totalMs: null,
};

interface Question {
  readonly key: string;
  readonly model: string;
  readonly message: string;
}

/** Streams one chat completion; `show` is called as it comes. Rejects with an `ApiError` for a refusal. */
export async function askModel(
  { key, model, message }: Question,
  show: (exchange: Exchange) => void,
): Promise<Exchange> {
  const start = performance.now();
  show({ ...noExchange, state: "asked" });
  const answer = await fetch(addressFor("../v1/chat/completions"), {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: [{ role: "user", content: message }],
    }),
  });
  if (!answer.ok || answer.body === null) throw errorOf(answer.status, await answer.json().catch(() => null));
  let exchange: Exchange = {
    ...noExchange,
    state: "streaming",
    requestId: answer.headers.get("x-request-id"),
    hold: answer.headers.get("x-tollgate-hold"),
    model: answer.headers.get("x-tollgate-model"),
    endpoint: answer.headers.get("x-tollgate-endpoint"),
  };
  show(exchange);
  for await (const text of deltasOf(answer.body)) {
    exchange = {
      ...exchange,
      text: exchange.text + text,
      firstTokenMs: exchange.firstTokenMs ?? performance.now() - start,
    };
    show(exchange);
  }
  exchange = { ...exchange, state: "ended", totalMs: performance.now() - start };
  show(exchange);
  return exchange;
}

/** The text of each event of a stream of chat completion chunks. */
async function* deltasOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith("data:") || line.includes("[DONE]")) continue;
      const chunk = JSON.parse(line.slice(5)) as {
        choices?: { delta?: { content?: string | null } }[];
        error?: unknown;
      };
      if (chunk.error !== undefined) throw errorOf(502, chunk);
      const text = chunk.choices?.[0]?.delta?.content;
      if (typeof text === "string" && text !== "") yield text;
    }
  }
}
