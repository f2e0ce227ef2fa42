import { createRandom } from "../../src/simulator/seeded.ts";

/** One request as a client sends it. Everything about it follows from the seed and its number. */
export interface PlannedRequest {
  readonly number: number;
  readonly customer: number;
  readonly path: "chat/completions" | "responses" | "embeddings";
  readonly body: Readonly<Record<string, unknown>>;
  readonly isStream: boolean;
  /** The client leaves after so many ms; null = it stays. */
  readonly leavesAfterMs: number | null;
  /** Sent with an Idempotency-Key, and again should the first try break. */
  readonly isRepeatable: boolean;
}

/** How the vendor fails, with weights; most requests meet no fault. */
const faults: readonly (readonly [fault: string | null, weight: number])[] = [
  [null, 80],
  ["429", 2],
  ["500", 2],
  ["503", 1],
  ["reset_before", 2],
  ["cut_before_usage", 2],
  ["cut_mid_text", 2],
  ["cut_mid_frame", 2],
  ["drop", 2],
  ["error_event", 1],
  ["error_event_done", 1],
  ["no_usage", 2],
  ["absurd_usage", 1],
  ["negative_usage", 1],
];

const totalWeight = faults.reduce((sum, [, weight]) => sum + weight, 0);

/** Customers 0 to 7 have plenty; 8 and 9 run out on the way. */
export const richCustomers = 8;
export const poorCustomers = 2;

export function planRequest(seed: number, number: number): PlannedRequest {
  const random = createRandom("proof", seed, number);
  const customer = random.below(richCustomers + poorCustomers);
  const kind = random.below(20);
  const path = kind === 0 ? "embeddings" : kind < 4 ? "responses" : "chat/completions";
  const isStream = path !== "embeddings" && random.below(4) > 0;
  let draw = random.below(totalWeight);
  const [fault] = faults.find(([, weight]) => {
    draw -= weight;
    return draw < 0;
  }) ?? [null];
  const tokens = 1 + random.below(120);
  const reasoning = random.below(3) === 0 ? random.below(60) : 0;
  // Slow enough that a kill meets many in the middle of their answer.
  const pace = random.below(3) === 0 ? 40 + random.below(400) : 2_000;
  const times = fault !== null && random.below(2) === 0 ? " times=1" : "";
  const directive = `[[sim:tokens=${tokens} tps=${pace}${fault === null || path === "embeddings" ? "" : ` fault=${fault}${times}`}]]`;
  const text = `Request ${seed}/${number}: ${"tell me about toll gates ".repeat(1 + random.below(12))}`;
  const thinks = path !== "embeddings" && random.below(3) === 0;
  const directives = thinks ? directive.replace("]]", ` reasoning=${reasoning}]]`) : directive;
  return {
    number,
    customer,
    path,
    isStream,
    body: bodyOf({ path, isStream, text: `${directives} ${text}`, thinks, asksUsage: random.below(2) === 0 }),
    leavesAfterMs: random.below(8) === 0 ? random.below(700) : null,
    isRepeatable: random.below(10) === 0,
  };
}

function bodyOf(about: {
  path: PlannedRequest["path"];
  isStream: boolean;
  text: string;
  thinks: boolean;
  asksUsage: boolean;
}): Record<string, unknown> {
  const { path, isStream, text, thinks } = about;
  if (path === "embeddings") return { model: "embed", input: text };
  const model = thinks ? "thinker" : "talker";
  const cap = 400;
  if (path === "responses") {
    return {
      model,
      input: text,
      max_output_tokens: cap,
      store: false,
      ...(isStream ? { stream: true } : {}),
    };
  }
  const messages = [{ role: "user", content: text }];
  const usage = isStream && about.asksUsage ? { stream_options: { include_usage: true } } : {};
  return { model, messages, max_completion_tokens: cap, ...(isStream ? { stream: true, ...usage } : {}) };
}
