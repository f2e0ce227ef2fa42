import {
  answerMembers,
  chunkPayloads,
  finishesThatEnd,
  responseEnds,
  runningUsageOfRequest,
} from "../core/dialects.ts";
import { type Fees, noFees, type Usage } from "../core/usage.ts";
import { OutputCollector, type SeenOutput } from "./seen-output.ts";
import { asArray, asObject, asText, findUsage, readFees, readUsage, type UsageRead } from "./usage.ts";

export type { SeenOutput } from "./seen-output.ts";

type Json = Readonly<Record<string, unknown>>;

/** What an event is to the relay. */
export type EventRole =
  /** Forward as it is. */
  | "content"
  /** No choices and nothing but usage: exists because it was asked for. */
  | "usage_only"
  /** Content with a usage object beside it. */
  | "usage_beside"
  /** Carries a `usage: null` member that exists because usage was asked for. */
  | "usage_null"
  /** `[DONE]` or a terminal event of the Responses API. */
  | "end"
  /** The vendor reports a failure inside a 200. */
  | "error";

/** Names and ids are kept in the ledger and its indexes; no vendor has longer ones. */
const maxNameLength = 256;

/**
 * Reads one answer, streamed or whole, event by event, and keeps what metering needs: the last usage object, which model
 * and tier served, and bounded text for the case that no usage comes. Usage objects replace each other, never add up.
 */
export class AnswerMeter {
  model: string | null = null;
  serviceTier: string | null = null;
  vendorId: string | null = null;
  fees: Fees = noFees;
  /** Responses API: the status of the response object last seen. */
  status: string | null = null;
  errorMessage: string | null = null;
  errorCode: string | null = null;
  hasEnded = false;
  private rawUsage: Json | null = null;
  /** Running totals per choice, where a vendor sends them so (vLLM `continuous_usage_stats` with n > 1). */
  private readonly usageByChoice = new Map<number, Json>();
  private hasWholeUsage = false;
  private readonly seen = new OutputCollector();

  /** One event's data. Unparseable data is content to the client and nothing to the meter. */
  event(data: string): { role: EventRole; json: Json | null } {
    if (data === "[DONE]" || isDone(data)) {
      this.hasEnded = true;
      return { role: "end", json: null };
    }
    const json = parse(data);
    return { role: json === null ? "content" : this.message(json), json };
  }

  /** One parsed event or a whole answer body. */
  message(json: Json): EventRole {
    const type = asText(json["type"]);
    const response = asObject(json["response"]);
    this.identify(response ?? json);
    if (response !== null) this.status = asText(response["status"]) ?? this.status;
    const error = errorOf(json, type, response);
    if (error !== null) {
      this.errorMessage = error.message;
      this.errorCode = error.code;
    }
    const choices = asArray(json["choices"]);
    this.readUsage(json, choices);
    for (const value of choices) {
      const choice = asObject(value);
      if (choice !== null) this.seen.choice(choice);
    }
    if (type?.startsWith("response.") === true) this.seen.responseEvent(json, type);
    const isEnd = type !== null && responseEnds.has(type);
    if (json["object"] === "response" || isEnd) this.readResponse(response ?? json, !isEnd);
    if (isEnd) {
      this.hasEnded = true;
      return "end";
    }
    return error === null ? roleOfChunk(json, choices) : "error";
  }

  /** The usage the vendor stated, or null when it stated none that can be read. */
  usage(): Usage | null {
    const read = this.readLast();
    return read?.ok === true ? read.usage : null;
  }

  /** Why the last usage object cannot be read; null when it can, or when none came. */
  get unreadable(): string | null {
    const read = this.readLast();
    return read === null || read.ok ? null : read.reason;
  }

  output(): SeenOutput {
    return this.seen.seen();
  }

  /** Whether anything that a vendor would bill as output has come. */
  hasOutput(): boolean {
    return this.seen.hasOutput();
  }

  /** A body that ends cleanly here has said everything: usage and a finish, or a finish after which nothing comes. */
  mayEndHere(): boolean {
    if (this.hasEnded) return true;
    if (!this.seen.hasFinish()) return false;
    return this.rawUsage !== null || this.seen.haveAllFinished((reason) => finishesThatEnd.has(reason));
  }

  /** Items of a Responses answer. */
  outputItems(): readonly Json[] {
    return this.seen.outputItems();
  }

  private readLast(): UsageRead | null {
    if (this.rawUsage === null) return null;
    const whole = readUsage(this.rawUsage, this.model);
    if (!whole.ok || this.hasWholeUsage || this.usageByChoice.size < 2) return whole;
    let output = 0;
    let reasoning = 0;
    for (const raw of this.usageByChoice.values()) {
      const read = readUsage(raw, this.model);
      if (!read.ok) return read;
      output += read.usage.output;
      reasoning += read.usage.reasoning;
    }
    return { ok: true, usage: { ...whole.usage, output, reasoning, total: whole.usage.input + output } };
  }

  private identify(json: Json): void {
    this.model = nameIn(json["model"]) ?? this.model;
    this.serviceTier = nameIn(json["service_tier"]) ?? this.serviceTier;
    this.vendorId = nameIn(json["id"]) ?? this.vendorId;
  }

  private readUsage(json: Json, choices: readonly unknown[]): void {
    const usage = findUsage(json);
    if (usage === null) return;
    this.rawUsage = usage;
    const only = choices.length === 1 ? asObject(choices[0]) : null;
    if (only === null) this.hasWholeUsage = true;
    // Only running totals on chunks of unfinished choices are per choice; a finish chunk carries the whole (dialect §2.5).
    else if (
      typeof only["index"] === "number" &&
      !runningUsageOfRequest.some((form) => form.test(this.model ?? "")) &&
      (asText(only["finish_reason"]) === null || this.usageByChoice.has(only["index"]))
    ) {
      this.usageByChoice.set(only["index"], usage);
    }
  }

  private readResponse(response: Json, isWhole: boolean): void {
    this.status = asText(response["status"]) ?? this.status;
    this.seen.response(response, isWhole);
    this.fees = readFees(response, this.seen.outputItems());
  }

  /** Fees of what has come so far, also of a stream that broke off. */
  feesSoFar(): Fees {
    return this.fees === noFees ? readFees({}, this.seen.outputItems()) : this.fees;
  }
}

function roleOfChunk(json: Json, choices: readonly unknown[]): EventRole {
  if (!("usage" in json)) return "content";
  if (json["usage"] === null) return "usage_null";
  const hasType = json["type"] !== undefined; // events of the Responses API have no choices at all
  const isAlone =
    choices.length === 0 && !hasType && !Object.keys(json).some((name) => chunkPayloads.has(name));
  return isAlone ? "usage_only" : "usage_beside";
}

/** A name that can be one; what is longer is not believed. */
function nameIn(value: unknown): string | null {
  const name = asText(value);
  return name === null || name.length > maxNameLength ? null : name;
}

/** A failure reported inside a 200, in every form vendors use (dialect §2.4, §5.1). */
function errorOf(
  json: Json,
  type: string | null,
  response: Json | null,
): { message: string; code: string | null } | null {
  const error =
    asObject(json["error"]) ?? (type === "response.failed" ? asObject(response?.["error"]) : null);
  if (error !== null) return { message: asText(error["message"]) ?? unsaid, code: codeOf(error) };
  if (typeof json["error"] === "string") return { message: json["error"], code: null };
  return type === "error" ? { message: asText(json["message"]) ?? unsaid, code: codeOf(json) } : null;
}

/** Whether a whole body is an answer of the API at all, well or failed. */
export const isAnswer = (json: Json): boolean =>
  answerMembers.some((name) => (json[name] ?? null) !== null) || json["type"] === "error";

/** As clients read it: what follows the word, and blanks around it, mean nothing. */
const isDone = (data: string): boolean =>
  (data[0] === "[" || data[0] === " ") && data.trimStart().startsWith("[DONE]");

const unsaid = "the vendor gave no message";
const codeOf = (error: Json): string | null =>
  typeof error["code"] === "number" ? String(error["code"]) : asText(error["code"]);

function parse(data: string): Json | null {
  try {
    return asObject(JSON.parse(data));
  } catch {
    return null;
  }
}
