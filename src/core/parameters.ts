/**
 * Which parameters a deployment takes, from three sources, the later one wins: the table of model families
 * (`parameter-families.ts`), what a probe found, and what a vendor's 400 said. Everything here is pure.
 */
import { takesField } from "./dialects.ts";
import { effortOf, isLimit, type JsonBody, type Lesson, samplingDefaults } from "./lessons.ts";
import { familyOf, type LimitParameter, type ParameterFamily, type Treatment } from "./parameter-families.ts";

export { type JsonBody, type Lesson, lessonFrom, type VendorRefusal } from "./lessons.ts";
export type { LimitParameter } from "./parameter-families.ts";

/** One change between what the client sent and what the vendor got. */
export interface Rewrite {
  readonly parameter: string;
  readonly action: "renamed" | "dropped" | "added";
  readonly to: string | null;
  readonly reason: string;
}

export interface ParameterRules {
  readonly model: string;
  readonly apiVersion: string | null;
  readonly lessons: readonly Lesson[];
  /** The operator's word on `stream_options`; null = rules and lessons decide. */
  readonly sendStreamOptions?: boolean | null;
}

/** Which parameters there are to adapt: legacy completions and embeddings know no families. */
export type ParameterApi = "chat" | "responses" | "other";

/** Azure api-versions that answer `stream_options` with 400 (dialect §3.3). */
export const refusesStreamOptions = (apiVersion: string | null): boolean =>
  !takesField(apiVersion, "stream_options");

/** Whether to ask this deployment for usage in the stream of `body`. Never with `data_sources`: that is a 400 (dialect §3.3). */
export function canAskForUsage(body: JsonBody, rules: ParameterRules): boolean {
  if (body["data_sources"] !== undefined) return false;
  if (rules.sendStreamOptions !== undefined && rules.sendStreamOptions !== null)
    return rules.sendStreamOptions;
  if (rules.lessons.some((lesson) => lesson.kind === "no_stream_options")) return false;
  if (rules.lessons.some((lesson) => lesson.kind === "stream_options")) return true;
  return !refusesStreamOptions(rules.apiVersion);
}

/** The limit parameter that chat on this deployment takes, and why; null = either. */
function requiredLimit(rules: ParameterRules): { name: LimitParameter; reason: string } | null {
  for (const lesson of rules.lessons) {
    if (lesson.kind === "rename" && isLimit(lesson.parameter) && isLimit(lesson.to)) {
      return { name: lesson.to, reason: `learned: ${lesson.evidence}` };
    }
  }
  const family = familyOf(rules.model);
  if (family?.limit !== undefined && family.limit !== null)
    return { name: family.limit, reason: `model family ${family.name}` };
  if (takesField(rules.apiVersion, "max_completion_tokens")) return null;
  return { name: "max_tokens", reason: `api-version ${rules.apiVersion} has no max_completion_tokens` };
}

/** The limit parameter in which a cap of ours is sent. */
export const limitParameter = (rules: ParameterRules): LimitParameter =>
  requiredLimit(rules)?.name ?? "max_tokens";

/** The body as this deployment takes it, with the list of what was changed. The client's own object is left alone. */
export function adaptParameters(
  body: JsonBody,
  rules: ParameterRules,
  api: ParameterApi = "chat",
): { body: Record<string, unknown>; rewrites: Rewrite[] } {
  const adapted: Record<string, unknown> = { ...body };
  const rewrites: Rewrite[] = [];
  if (api === "chat") renameLimit(adapted, rewrites, rules);
  if (api !== "other") dropSampling(adapted, rewrites, rules);
  return { body: adapted, rewrites };
}

function renameLimit(body: Record<string, unknown>, rewrites: Rewrite[], rules: ParameterRules): void {
  const limit = requiredLimit(rules);
  if (limit === null) return;
  const other = limit.name === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  if (body[other] === undefined) return;
  // A limit is never lost: when both are there they are equal (the request was checked), so one may go.
  if (body[limit.name] === undefined || body[limit.name] === null) body[limit.name] = body[other];
  delete body[other];
  rewrites.push({ parameter: other, action: "renamed", to: limit.name, reason: limit.reason });
}

function dropSampling(body: Record<string, unknown>, rewrites: Rewrite[], rules: ParameterRules): void {
  const family = familyOf(rules.model);
  const effort = effortOf(body);
  for (const [name, usual] of Object.entries(samplingDefaults)) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    const reason = whyDropped({ name, isUsual: value === usual, effort, family, lessons: rules.lessons });
    if (reason === null) continue;
    delete body[name];
    rewrites.push({ parameter: name, action: "dropped", to: null, reason });
  }
}

function whyDropped(about: {
  name: string;
  isUsual: boolean;
  effort: string | null;
  family: ParameterFamily | null;
  lessons: readonly Lesson[];
}): string | null {
  const { name, isUsual, effort, family, lessons } = about;
  for (const lesson of lessons) {
    // Also the default value goes: some models refuse the parameter itself, and leaving it out means the same.
    if (lesson.kind !== "drop" || lesson.parameter !== name) continue;
    if (lesson.effort === undefined || lesson.effort === effort) return `learned: ${lesson.evidence}`;
  }
  if (family === null) return null;
  const atNone = (effort ?? family.efforts[0]) === "none";
  switch (treatmentOf(family, name)) {
    case "taken":
      return null;
    case "refused":
      return `model family ${family.name} refuses it`;
    case "default_only":
      return isUsual ? null : `model family ${family.name} takes only the default`;
    case "at_effort_none":
      return isUsual || atNone ? null : `model family ${family.name} takes it at reasoning effort none only`;
  }
}

function treatmentOf(family: ParameterFamily, name: string): Treatment {
  if (name === "temperature") return family.temperature;
  return name === "top_p" ? family.topP : family.penalties;
}
