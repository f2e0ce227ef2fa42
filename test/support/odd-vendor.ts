/** A vendor that talks as the test says, down to heads, pieces and the end of the connection. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type RequestRow, startTestGateway, type TestGateway } from "./gateway.ts";

export type Talk = (response: ServerResponse, request: IncomingMessage) => void;

export interface OddVendor {
  readonly url: string;
  /** Bodies received, oldest first. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at single fields.
  readonly bodies: any[];
  talk: Talk;
  close(): Promise<void>;
}

export async function startOddVendor(): Promise<OddVendor> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      vendor.bodies.push(text === "" ? null : JSON.parse(text));
      response.socket?.setNoDelay(true);
      vendor.talk(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const vendor: OddVendor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies: [],
    talk: (response) => response.end(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return vendor;
}

const chunk = (more: object): object => ({
  id: "c1",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4.1-nano",
  ...more,
});
/** One choice of a stream. */
export const said = (content: string, index = 0): object =>
  chunk({ choices: [{ index, delta: { content }, finish_reason: null }] });
export const finished = (reason = "stop", index = 0, more: object = {}): object =>
  chunk({ choices: [{ index, delta: {}, finish_reason: reason }], ...more });
/** "Hi" is eight tokens as a chat: an estimate says the same of the input, whatever was asked before. */
export const usageOfTwo = { prompt_tokens: 8, completion_tokens: 2, total_tokens: 10 };
export const usageChunk = (usage: object | null = usageOfTwo, more: object = { choices: [] }): object =>
  chunk({ ...more, usage });
export const event = (data: unknown): string =>
  `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
export const events = (...all: readonly unknown[]): string => all.map(event).join("");
/** As one that was asked for usage sends it: `usage: null` until the last chunk. */
export const withNulls = (one: object): object => ({ ...one, usage: null });

/** A whole answer to a chat. */
export const wholeAnswer = {
  id: "c1",
  object: "chat.completion",
  created: 1,
  model: "gpt-4.1-nano",
  choices: [
    { index: 0, message: { role: "assistant", content: "fine", refusal: null }, finish_reason: "stop" },
  ],
  usage: usageOfTwo,
};

export const sends =
  (
    body: string | Buffer,
    headers: Record<string, string> = { "content-type": "text/event-stream" },
    status = 200,
  ): Talk =>
  (response) => {
    response.writeHead(status, headers);
    response.end(body);
  };
/** Breaks the connection after the bytes. */
export const breaksAfter =
  (body: string): Talk =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(body, () => setTimeout(() => response.destroy(), 20));
  };

export interface OddWorld {
  readonly vendor: OddVendor;
  readonly gateway: TestGateway;
  /** Asks once, as a customer of its own; `verdict` says how the request is recorded. */
  ask(
    talk: Talk,
    more?: object,
    path?: string,
  ): Promise<{ answer: Response; text: string; row: RequestRow; verdict: string }>;
  /** Fails when something is still held. */
  close(): Promise<void>;
}

/** A gateway in front of such a vendor, with the models `nano`, `azure` and `embed`. */
export async function startOddWorld(): Promise<OddWorld> {
  const vendor = await startOddVendor();
  const model = (name: string, of: string, endpoint: string): string =>
    `  ${name}: { deployments: [{ endpoint: ${endpoint}, deployment: ${of}, model: ${of} }] }`;
  const gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints:
  v: { kind: openai, base_url: "${vendor.url}/v1", api_key: vendor-key-0123456789, idle_timeout_ms: 500 }
  azure: { kind: azure, base_url: "${vendor.url}", api_key: vendor-key-0123456789, api_version: 2024-12-01-preview }
models:
${[model("nano", "gpt-4.1-nano", "v"), model("azure", "gpt-4.1-nano", "azure"), model("embed", "text-embedding-3-small", "v")].join("\n")}
`,
  });
  return {
    vendor,
    gateway,
    async ask(talk, more = {}, path = "/v1/chat/completions") {
      vendor.talk = talk;
      const { accountId, key } = await gateway.customer("1000");
      const body = { model: "nano", messages: [{ role: "user", content: "Hi" }], max_tokens: 50, ...more };
      const answer = await gateway.post(path, key, body);
      const text = Buffer.from(await answer.arrayBuffer()).toString();
      const [row] = await gateway.records(accountId);
      if (row === undefined) throw new Error(`no record: ${text.slice(0, 300)}`);
      const { method, bound, reason } = row.record.usage ?? {};
      const payer = row.record.attempts.at(-1).paid_by;
      const parts = [row.state, row.outcome, row.source, method, bound, reason, payer];
      const said = parts.filter((part) => part !== null && part !== undefined).join(" ");
      return { answer, text, row, verdict: `${said} ${row.input}/${row.output}` };
    },
    async close() {
      const open = await gateway.db.query("select 1 from holds");
      await gateway.close(1_000);
      await vendor.close();
      if (open.length > 0) throw new Error("something is still held");
    },
  };
}

export const streamed = { stream: true };
export const cut = event({
  error: {
    message: "The vendor's stream broke off before its end.",
    type: "server_error",
    param: null,
    code: "upstream_cut",
  },
});
export const exact = "settled complete vendor customer 8/2";
export const guessed =
  "settled complete estimated tokenizer exact_in_practice vendor_sends_none customer 8/1";
export const rejected = "settled complete estimated tokenizer exact_in_practice vendor_error customer 8/1";
export const lost = "settled vendor_cut estimated tokenizer lower_bound vendor_cut operator 8/0";

export const start = events(withNulls(said("fine")), withNulls(finished()));
export const shownStart = events(said("fine"), finished());
export const done = "data: [DONE]\n\n";
export const plain = start + event(usageChunk()) + done;
