import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import type { FaultName } from "./faults.ts";
import { isJsonObject, readArray, readObject } from "./json.ts";
import type { Simulator } from "./server.ts";
import { countTokens } from "./tokens.ts";

const path = "/v1/chat/completions";

function textOf(reply: Reply): string {
  return reply.chunks
    .flatMap((chunk) => readArray(chunk.choices).filter(isJsonObject))
    .map((choice) => readObject(choice.delta).content ?? "")
    .join("");
}

/** Faults after which the client has all that was generated. */
const partial: readonly (FaultName | "none")[] = [
  "none",
  "cut_mid_text",
  "drop",
  "error_event",
  "error_event_done",
  "error_event_named",
  "cut_before_usage",
  "no_usage",
  "absurd_usage",
  "negative_usage",
  "huge_line",
];

const attempt = fc.record({
  fault: fc.constantFrom(...partial),
  tokens: fc.integer({ min: 1, max: 60 }),
  after: fc.integer({ min: 0, max: 70 }),
  model: fc.constantFrom("gpt-4o", "gpt-4.1-nano"),
});

describe("the bill", () => {
  test("has the tokens of the very text that was sent, whatever went wrong and whatever the usage said", () =>
    withSimulator({ profile: "openai" }, (simulator) =>
      fc.assert(
        fc.asyncProperty(attempt, async ({ fault, tokens, after, model }) => {
          const words = `[[sim:tokens=${tokens} after=${after} fault=${fault} bytes=1000]]`;
          const messages = [{ role: "user", content: `${words} go` }];
          const reply = await post(simulator, path, { model, messages, stream: true });
          await simulator.idle();
          const line = simulator.bill().at(-1);
          expect(line?.output).toBe(countTokens(textOf(reply)));
          expect(line?.input).toBe(countTokens(`${words} go`) + 7);
        }),
        { numRuns: 120 },
      ),
    ));

  test("is the sum of the usages of all answers", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const replies = await Promise.all(
        ["gpt-4o", "gpt-5-mini", "gpt-5.2", "o3"].flatMap((model) => mixed(simulator, model)),
      );
      const stated = replies.map(usageOf);
      await simulator.idle();
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
      expect(sum(simulator.bill().map((line) => line.total))).toBe(sum(stated));
      expect(simulator.bill().length).toBe(replies.length);
    }));
});

function mixed(simulator: Simulator, model: string): Promise<Reply>[] {
  const stream = { stream: true, stream_options: { include_usage: true } };
  return Array.from({ length: 12 }, (_, at) => {
    const messages = [{ role: "user", content: `Question ${at} about gates` }];
    const cap = at % 3 === 0 ? { max_completion_tokens: 10 + at } : {};
    return post(simulator, path, { model, messages, ...cap, ...(at % 2 === 0 ? stream : {}) });
  });
}

function usageOf(reply: Reply): number {
  const usage = reply.chunks.length > 0 ? reply.chunks.at(-1)?.usage : reply.json.usage;
  return Number(readObject(usage).total_tokens);
}
