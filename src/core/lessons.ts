import type { LimitParameter } from "./parameter-families.ts";

export type JsonBody = Readonly<Record<string, unknown>>;

/** A fact learned about one deployment, from a vendor's 400 or from a probe. `evidence` is what the vendor said. */
export type Lesson =
  | { readonly kind: "rename"; readonly parameter: string; readonly to: string; readonly evidence: string }
  | {
      readonly kind: "drop";
      readonly parameter: string;
      readonly evidence: string;
      /** Holds at this reasoning effort alone (null: when none is sent); absent = at any. */
      readonly effort?: string | null;
    }
  | { readonly kind: "no_stream_options"; readonly evidence: string }
  | { readonly kind: "stream_options"; readonly evidence: string }
  | {
      readonly kind: "input_overhead";
      readonly tokens: number;
      readonly samples: number;
      readonly evidence: string;
      /** Requests with tools have an overhead of their own; absent = plain ones. */
      readonly shape?: InputShape;
    };

export type InputShape = "plain" | "tools";

/** One lesson of a name replaces the last: both kinds about stream_options are one name, each effort of a parameter its own. */
export function lessonName(lesson: Lesson): string {
  switch (lesson.kind) {
    case "rename":
      return `parameter ${lesson.parameter}`;
    case "drop":
      return `parameter ${lesson.parameter}${lesson.effort === undefined ? "" : ` at effort ${lesson.effort ?? "unsaid"}`}`;
    case "stream_options":
    case "no_stream_options":
      return "stream_options";
    case "input_overhead":
      return lesson.shape === "tools" ? "input_overhead tools" : "input_overhead";
  }
}

/** Sampling preferences: the only parameters that are ever dropped, and the values that mean nothing special. */
export const samplingDefaults: Readonly<Record<string, number>> = {
  temperature: 1,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
};

export const isLimit = (name: string): name is LimitParameter =>
  name === "max_tokens" || name === "max_completion_tokens";

/** What a vendor's 400 says about itself. */
export interface VendorRefusal {
  readonly message: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** The reasoning effort of a body, in chat's or Responses' form; null when it says none. */
export function effortOf(body: JsonBody): string | null {
  const chat = body["reasoning_effort"];
  if (typeof chat === "string") return chat;
  const reasoning = body["reasoning"];
  const effort =
    typeof reasoning === "object" && reasoning !== null ? (reasoning as JsonBody)["effort"] : null;
  return typeof effort === "string" ? effort : null;
}

/**
 * The lesson in a vendor's 400, or null when it names nothing that may be changed. Only a rename between limits, the
 * loss of a sampling preference, and the loss of `stream_options` are ever learned: a limit is never dropped. A lesson
 * holds for every customer, so it is to be kept only when the request went through with it.
 * Matched on the message and the parameter, not on the code, which differs by route (dialect §4.1).
 */
export function lessonFrom(refusal: VendorRefusal, sent: JsonBody): Lesson | null {
  const evidence = refusal.message.slice(0, 300);
  const named =
    refusal.param ?? /(?:parameter|value|argument)[^'"]*['"]([\w.]+)['"]/i.exec(refusal.message)?.[1] ?? null;
  if (asksForUsageOnly(sent["stream_options"]) && isAbout("stream_options", named, refusal.message))
    return { kind: "no_stream_options", evidence };
  if (named !== null && isLimit(named) && sent[named] !== undefined) return renameFrom(refusal, named);
  if (named === null || !Object.hasOwn(samplingDefaults, named) || typeof sent[named] !== "number")
    return null;
  if (!/unsupported|not support|only the default/i.test(refusal.message)) return null;
  return { kind: "drop", parameter: named, evidence, effort: effortOf(sent) };
}

/** What Tollgate itself would send. Options of the client's own may be what was refused: they teach nothing. */
const asksForUsageOnly = (options: unknown): boolean =>
  typeof options === "object" &&
  options !== null &&
  Object.keys(options).every((name) => name === "include_usage" || name === "continuous_usage_stats");

/** A vendor that names the parameter is taken at its word; the message may quote the client. */
const isAbout = (name: string, named: string | null, message: string): boolean =>
  named === null
    ? new RegExp(`(^|[^\\w])${name}([^\\w]|$)`).test(message)
    : named === name || named.startsWith(`${name}.`);

function renameFrom(refusal: VendorRefusal, named: LimitParameter): Lesson | null {
  const other = named === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  const instead = /use ['"`](\w+)['"`] instead/i.exec(refusal.message)?.[1];
  const isUnknown =
    /unsupported|unknown|unrecognized|not supported|extra inputs/i.test(refusal.message) ||
    refusal.code === "unknown_parameter";
  const isMeant = instead === other || (instead === undefined && isUnknown);
  return isMeant
    ? { kind: "rename", parameter: named, to: other, evidence: refusal.message.slice(0, 300) }
    : null;
}
