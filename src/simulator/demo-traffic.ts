import type { FaultName } from "./faults.ts";
import type { JsonObject } from "./json.ts";
import { createRandom, type Random } from "./seeded.ts";

/** One request of made-up traffic, and how its client behaves. */
export interface DemoRequest {
  /** The body of a chat completion. Faults are asked for in the message, which a gateway passes on. */
  readonly body: JsonObject;
  /** The client leaves this long after it asked; null = it stays to the end. */
  readonly leavesAfterMs: number | null;
  /** How long to wait before the next request. */
  readonly pauseMs: number;
}

const models = ["gpt-5-mini", "gpt-5-mini", "gpt-5-chat", "gpt-4.1-nano", "gpt-4o-mini"] as const;

const questions = [
  "What does a toll gate do?",
  "Write a short note to the team about the new bridge.",
  "Summarise the last meeting in three sentences.",
  "Which road is the shortest from Oslo to Bergen?",
  "Name five things that cost more than they seem to.",
  "Explain double-entry bookkeeping to a child.",
  'Say "Thank you, drive safely." and nothing else.',
] as const;

/** What goes wrong now and then: each of them ends by itself, and none of them for good. */
const mishaps: readonly (readonly [fault: FaultName, times: number | null])[] = [
  ["500", 1],
  ["429", 1],
  ["503", 1],
  ["cut_before_usage", null],
  ["cut_mid_text", null],
  ["error_event", null],
  ["no_usage", null],
  ["content_filter_cut", null],
];

/**
 * `count` requests that depend on the seed alone: several models, streamed or not, some that fail or are
 * left.
 */
export function* demoRequests(seed: number, count: number): Generator<DemoRequest> {
  for (let number = 0; number < count; number++) {
    const random = createRandom("demo", seed, number);
    const isLeft = random.below(10) === 0;
    yield {
      body: writeBody(random, number, isLeft),
      leavesAfterMs: isLeft ? 300 + random.below(1_200) : null,
      pauseMs: 50 + random.below(1_500),
    };
  }
}

function writeBody(random: Random, number: number, isLeft: boolean): JsonObject {
  const model = pick(models, random);
  const stream = isLeft || random.below(3) > 0;
  const mishap = random.below(8) === 0 ? pick(mishaps, random) : null;
  const cap = random.below(3) === 0 ? 40 + random.below(200) : undefined;
  return {
    model,
    messages: [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: writeQuestion(random, number, mishap) },
    ],
    // Some clients still send the old name, which gpt-5-mini refuses: the gateway renames it.
    ...(random.below(4) === 0 ? { max_tokens: cap } : { max_completion_tokens: cap }),
    ...(stream ? { stream } : {}),
    ...(stream && random.below(2) === 0 ? { stream_options: { include_usage: true } } : {}),
    ...(random.below(6) === 0 && !model.startsWith("gpt-5-mini") ? { temperature: 0.7 } : {}),
  };
}

function writeQuestion(random: Random, number: number, mishap: (typeof mishaps)[number] | null): string {
  const words = [`tokens=${20 + random.below(140)}`];
  if (mishap !== null) words.push(`fault=${mishap[0]}`);
  if (mishap !== null && mishap[1] !== null) words.push(`times=${mishap[1]}`);
  return `${pick(questions, random)} (${number + 1}) [[sim:${words.join(" ")}]]`;
}

function pick<T>(from: readonly T[], random: Random): T {
  const item = from[random.below(from.length)];
  if (item === undefined) throw new Error("Cannot pick an item: the list is empty.");
  return item;
}
