/**
 * Which parameters a deployment takes, from three sources, the later one wins: this table of model families
 * (dialect §4), what a probe found, and what a vendor's 400 said. Everything here is pure.
 */
export type JsonBody = Readonly<Record<string, unknown>>;
export type LimitParameter = "max_tokens" | "max_completion_tokens";

/** A fact learned about one deployment, from a vendor's 400 or from a probe. `evidence` is what the vendor said. */
export type Lesson =
  | { readonly kind: "rename"; readonly parameter: string; readonly to: string; readonly evidence: string }
  | { readonly kind: "drop"; readonly parameter: string; readonly evidence: string }
  | { readonly kind: "no_stream_options"; readonly evidence: string }
  | { readonly kind: "stream_options"; readonly evidence: string }
  | { readonly kind: "input_overhead"; readonly tokens: number; readonly samples: number; readonly evidence: string };

/** One change between what the client sent and what the vendor got. */
export interface Rewrite {
  readonly parameter: string;
  readonly action: "renamed" | "dropped" | "added";
  readonly to: string | null;
  readonly reason: string;
}

interface Family {
  readonly name: string;
  readonly models: RegExp;
  /** The only limit parameter that chat accepts; null = either. */
  readonly limit: LimitParameter | null;
  /** Sampling parameters of which only the default value is accepted. */
  readonly fixed: readonly string[];
}

const sampling = ["temperature", "top_p", "presence_penalty", "frequency_penalty"];
const defaults: Readonly<Record<string, number>> = { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0 };

/** First match wins. Models from gpt-5.1 on accept sampling at some efforts only, so it is sent and the 400 is heeded. */
const families: readonly Family[] = [
  { name: "gpt-5-chat", models: /^gpt-5(\.\d+)?-chat(-|$)/, limit: null, fixed: [] },
  { name: "o1, o3-mini, o3, o4-mini", models: /^o[134](-|$)/, limit: "max_completion_tokens", fixed: sampling },
  { name: "gpt-5, -mini, -nano", models: /^gpt-5(-mini|-nano|-pro|-codex)?(-\d{4}-\d{2}-\d{2})?$/, limit: "max_completion_tokens", fixed: sampling },
  { name: "gpt-6-astra, gpt-6.1 and later", models: /^gpt-6(-astra|\.[1-9])/, limit: "max_completion_tokens", fixed: sampling },
  { name: "gpt-5.1 and later", models: /^gpt-([6-9]|5\.\d)/, limit: "max_completion_tokens", fixed: [] },
];

const familyOf = (model: string): Family | null =>
  families.find(({ models }) => models.test(model.toLowerCase().replace(/^.*\//, ""))) ?? null;

/** Azure api-versions that answer `stream_options` with 400 (dialect §3.3); 2024-08-01-preview is tried. */
export function refusesStreamOptions(apiVersion: string | null): boolean {
  const date = apiVersion === null ? null : /^(\d{4}-\d{2}-\d{2})/.exec(apiVersion)?.[1];
  return date !== undefined && date !== null && date < "2024-08-01";
}

export interface ParameterRules {
  readonly model: string;
  readonly apiVersion: string | null;
  readonly lessons: readonly Lesson[];
}

/** Whether to ask this deployment for usage in the stream of `body`. Never with `data_sources`: that is a 400 (dialect §3.3). */
export function canAskForUsage(body: JsonBody, rules: ParameterRules): boolean {
  if (body["data_sources"] !== undefined) return false;
  if (rules.lessons.some((lesson) => lesson.kind === "no_stream_options")) return false;
  if (rules.lessons.some((lesson) => lesson.kind === "stream_options")) return true;
  return !refusesStreamOptions(rules.apiVersion);
}

/** The limit parameter that chat on this deployment takes. */
export function limitParameter(rules: ParameterRules): LimitParameter {
  for (const lesson of rules.lessons) {
    if (lesson.kind === "rename" && isLimit(lesson.parameter) && isLimit(lesson.to)) return lesson.to;
  }
  return familyOf(rules.model)?.limit ?? "max_tokens";
}

const isLimit = (name: string): name is LimitParameter => name === "max_tokens" || name === "max_completion_tokens";

/** The body as this deployment takes it, with the list of what was changed. The client's own object is left alone. */
export function adaptParameters(body: JsonBody, rules: ParameterRules): { body: Record<string, unknown>; rewrites: Rewrite[] } {
  const adapted: Record<string, unknown> = { ...body };
  const rewrites: Rewrite[] = [];
  const learned = rules.lessons.some((lesson) => lesson.kind === "rename" && isLimit(lesson.parameter));
  const family = familyOf(rules.model);
  if (!learned && family?.limit !== null && family?.limit !== undefined) {
    const other = family.limit === "max_tokens" ? "max_completion_tokens" : "max_tokens";
    rename(adapted, rewrites, { from: other, to: family.limit, reason: `model family ${family.name}` });
  }
  for (const name of family?.fixed ?? []) {
    if (adapted[name] !== undefined && adapted[name] !== null && adapted[name] !== defaults[name]) {
      drop(adapted, rewrites, name, `model family ${family?.name} takes only the default`);
    }
  }
  for (const lesson of rules.lessons) {
    if (lesson.kind === "rename") {
      rename(adapted, rewrites, { from: lesson.parameter, to: lesson.to, reason: `learned: ${lesson.evidence}` });
    } else if (lesson.kind === "drop" && adapted[lesson.parameter] !== undefined) {
      if (adapted[lesson.parameter] !== defaults[lesson.parameter]) drop(adapted, rewrites, lesson.parameter, `learned: ${lesson.evidence}`);
    } else if (lesson.kind === "no_stream_options" && adapted["stream_options"] !== undefined) {
      drop(adapted, rewrites, "stream_options", `learned: ${lesson.evidence}`);
    }
  }
  return { body: adapted, rewrites };
}

function rename(body: Record<string, unknown>, rewrites: Rewrite[], change: { from: string; to: string; reason: string }): void {
  const { from, to, reason } = change;
  if (body[from] === undefined) return;
  // A limit is never lost: when both are there they are equal (the request was checked), so one may go.
  if (body[to] === undefined) body[to] = body[from];
  delete body[from];
  rewrites.push({ parameter: from, action: "renamed", to, reason });
}

function drop(body: Record<string, unknown>, rewrites: Rewrite[], parameter: string, reason: string): void {
  delete body[parameter];
  rewrites.push({ parameter, action: "dropped", to: null, reason });
}

/** What a vendor's 400 says about itself. */
export interface VendorRefusal {
  readonly message: string;
  readonly param: string | null;
  readonly code: string | null;
}

/**
 * The lesson in a vendor's 400, or null when it names nothing that may be changed. Only a rename between limits, the
 * loss of a sampling preference, and the loss of `stream_options` are ever learned: a limit is never dropped.
 * Matched on the message and the parameter, not on the code, which differs by route (dialect §4.1).
 */
export function lessonFrom(refusal: VendorRefusal, sent: JsonBody): Lesson | null {
  const evidence = refusal.message.slice(0, 300);
  const named = refusal.param ?? /(?:parameter|value|argument)[^'"]*['"]([\w.]+)['"]/i.exec(refusal.message)?.[1] ?? null;
  const isAbout = (name: string): boolean => named === name || named?.startsWith(`${name}.`) === true || refusal.message.includes(name);
  if (sent["stream_options"] !== undefined && isAbout("stream_options")) return { kind: "no_stream_options", evidence };
  const instead = /use ['"`](\w+)['"`] instead/i.exec(refusal.message)?.[1];
  if (named !== null && isLimit(named) && sent[named] !== undefined) {
    const other = named === "max_tokens" ? "max_completion_tokens" : "max_tokens";
    const isUnknown = /unsupported|unknown|unrecognized|not supported|extra inputs/i.test(refusal.message) || refusal.code === "unknown_parameter";
    if (instead === other || (instead === undefined && isUnknown)) return { kind: "rename", parameter: named, to: other, evidence };
    return null;
  }
  for (const name of sampling) {
    if (named === name && sent[name] !== undefined && /unsupported|not support|only the default/i.test(refusal.message)) {
      return { kind: "drop", parameter: name, evidence };
    }
  }
  return null;
}
