import { type Attempt, noCount } from "./attempt.ts";
import type { Accepted } from "./job.ts";
import { type JsonObject, parseJsonObject, readNumber } from "./json.ts";
import { createRandom } from "./seeded.ts";

const dimensionsOf: Readonly<Record<string, number>> = { "text-embedding-3-large": 3_072 };

/**
 * Answers an embeddings request: seeded unit vectors, floats or base64 of little-endian float32; bills the
 * input.
 */
export function answerEmbeddings({ attempt, ask, model }: Accepted, input: number): void {
  const body = parseJsonObject(attempt.body.toString("utf8")) ?? {};
  const dimensions = readNumber(body.dimensions) ?? dimensionsOf[model.name] ?? 1_536;
  const isBase64 = body.encoding_format === "base64";
  const data = ask.messages.map((message, index): JsonObject => {
    const vector = embed(attempt.vendor.settings.seed, message.text, dimensions);
    const embedding = isBase64 ? Buffer.from(vector.buffer).toString("base64") : [...vector];
    return { object: "embedding", index, embedding };
  });
  const usage = { prompt_tokens: input, total_tokens: input };
  const text = JSON.stringify({ object: "list", data, model: model.served, usage });
  const length = String(Buffer.byteLength(text));
  attempt.response.writeHead(200, {
    ...attempt.headers,
    "content-type": "application/json",
    "content-length": length,
  });
  attempt.response.end(text);
  attempt.settle({ count: { ...noCount, input }, reason: "complete", status: 200, aborted: false });
}

function embed(seed: number, text: string, dimensions: number): Float32Array {
  const random = createRandom(seed, "embedding", text);
  const raw = Array.from({ length: dimensions }, () => random.fraction() - 0.5);
  const length = Math.hypot(...raw);
  return Float32Array.from(raw, (value) => value / length);
}

/** `POST /v1/responses/input_tokens`: the vendor's own count of the prompt, without generating anything. */
export function answerInputTokens(attempt: Attempt, input: number): void {
  const text = JSON.stringify({ object: "response.input_tokens", input_tokens: input });
  attempt.response.writeHead(200, { ...attempt.headers, "content-type": "application/json" });
  attempt.response.end(text);
  attempt.discard();
}
