import { type Fees, noFees, type Usage } from "../core/usage.ts";
import { asArray, asObject, asText, findUsage, readFees, readUsage } from "./usage.ts";

type Json = Readonly<Record<string, unknown>>;

/** What an event is to the relay. */
export type EventRole =
  /** Forward as it is. */
  | "content"
  /** `choices: []` with nothing but usage: exists because it was asked for. */
  | "usage_only"
  /** Carries a `usage: null` member that exists because usage was asked for. */
  | "usage_null"
  /** `[DONE]` or a terminal event of the Responses API. */
  | "end"
  /** The vendor reports a failure inside a 200. */
  | "error";

/** What an estimate of the output rests on; bounded, and whether something was left out. */
export interface SeenOutput {
  readonly text: string;
  /** Bytes of text beyond the bound, not kept. */
  readonly droppedBytes: number;
  readonly finishReasons: readonly string[];
  readonly hasTools: boolean;
  readonly hasFilter: boolean;
}

const maxKeptText = 1_048_576;
/** Members that make a `choices: []` chunk more than a usage chunk (Azure's first chunk, moderation; dialect §1.3). */
const otherPayload = ["prompt_filter_results", "prompt_annotations", "moderation", "error"];
const responseEnds = new Set(["response.completed", "response.incomplete", "response.failed"]);

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
  hasEnded = false;
  /** A usage object that could not be read, as a reason; the last one that could stands. */
  unreadable: string | null = null;
  private rawUsage: Json | null = null;
  /** Running totals per choice, where a vendor sends them so (vLLM `continuous_usage_stats` with n > 1). */
  private readonly usageByChoice = new Map<number, Json>();
  private hasWholeUsage = false;
  private readonly pieces: string[] = [];
  private keptLength = 0;
  private droppedBytes = 0;
  private readonly finishes = new Map<number, string>();
  private hasTools = false;
  private hasFilter = false;
  private readonly toolNames = new Set<string>();

  /** One event's data. Unparseable data is content to the client and nothing to the meter. */
  event(data: string): { role: EventRole; json: Json | null } {
    if (data === "[DONE]") {
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
    const error = errorOf(json, type, response);
    if (error !== null) this.errorMessage = error;
    const choices = asArray(json["choices"]);
    this.readUsage(json, choices);
    for (const choice of choices) this.readChoice(asObject(choice));
    if (type?.startsWith("response.") === true) this.readResponseEvent(json, type);
    if (json["object"] === "response" || (type !== null && responseEnds.has(type))) this.readResponse(response ?? json);
    if (type !== null && responseEnds.has(type)) {
      this.hasEnded = true;
      return "end";
    }
    if (error !== null) return "error";
    return roleOfChunk(json, choices);
  }

  /** The usage the vendor stated, or null when it stated none that can be read. */
  usage(): Usage | null {
    if (this.rawUsage === null) return null;
    const whole = readUsage(this.rawUsage, this.model);
    if (!whole.ok) {
      this.unreadable = whole.reason;
      return null;
    }
    if (this.hasWholeUsage || this.usageByChoice.size < 2) return whole.usage;
    let output = 0;
    let reasoning = 0;
    for (const raw of this.usageByChoice.values()) {
      const read = readUsage(raw, this.model);
      if (!read.ok) return whole.usage;
      output += read.usage.output;
      reasoning += read.usage.reasoning;
    }
    return { ...whole.usage, output, reasoning, total: whole.usage.input + output };
  }

  output(): SeenOutput {
    return {
      text: this.pieces.join(""),
      droppedBytes: this.droppedBytes,
      finishReasons: [...this.finishes.values()],
      hasTools: this.hasTools,
      hasFilter: this.hasFilter,
    };
  }

  /** Whether anything that a vendor would bill as output has come. */
  hasOutput(): boolean {
    return this.keptLength > 0 || this.hasTools || this.finishes.size > 0;
  }

  private identify(json: Json): void {
    this.model = asText(json["model"]) ?? this.model;
    this.serviceTier = asText(json["service_tier"]) ?? this.serviceTier;
    this.vendorId = asText(json["id"]) ?? this.vendorId;
  }

  private readUsage(json: Json, choices: readonly unknown[]): void {
    const usage = findUsage(json);
    if (usage === null) return;
    this.rawUsage = usage;
    const only = choices.length === 1 ? asObject(choices[0]) : null;
    if (only === null) this.hasWholeUsage = true;
    // Only running totals on chunks of unfinished choices are per choice; a finish chunk carries the whole (dialect §2.5).
    else if (typeof only["index"] === "number" && (asText(only["finish_reason"]) === null || this.usageByChoice.has(only["index"]))) {
      this.usageByChoice.set(only["index"], usage);
    }
  }

  private readChoice(choice: Json | null): void {
    if (choice === null) return;
    const index = typeof choice["index"] === "number" ? choice["index"] : 0;
    const finish = asText(choice["finish_reason"]);
    if (finish !== null) this.finishes.set(index, finish);
    if (finish === "content_filter") this.hasFilter = true;
    this.readDelta(asObject(choice["delta"]) ?? asObject(choice["message"]), index);
    this.keep(choice["text"]);
  }

  private readDelta(delta: Json | null, index: number): void {
    if (delta === null) return;
    this.keep(delta["content"]);
    for (const part of asArray(delta["content"])) this.keep(asObject(part)?.["text"]);
    this.keep(delta["refusal"]);
    this.keep(delta["reasoning_content"]);
    this.keep(delta["reasoning"]);
    this.readCall(asObject(delta["function_call"]), `${index}`);
    for (const call of asArray(delta["tool_calls"])) {
      const tool = asObject(call);
      this.readCall(asObject(tool?.["function"]), `${index}.${String(tool?.["index"])}`);
    }
  }

  private readCall(call: Json | null, id: string): void {
    if (call === null) return;
    this.hasTools = true;
    // A vendor may repeat the name on every fragment; it is billed once.
    if (asText(call["name"]) !== null && !this.toolNames.has(id)) {
      this.toolNames.add(id);
      this.keep(call["name"]);
    }
    this.keep(call["arguments"]);
  }

  private readResponseEvent(json: Json, type: string): void {
    if (/\.(output_text|refusal|function_call_arguments|reasoning_summary_text)\.delta$/.test(type)) this.keep(json["delta"]);
    if (type === "response.output_item.added") {
      const item = asObject(json["item"]);
      if (item?.["type"] === "function_call") {
        this.hasTools = true;
        this.keep(item["name"]);
      }
    }
  }

  private readResponse(response: Json): void {
    this.status = asText(response["status"]) ?? this.status;
    this.fees = readFees(response);
    const reason = asText(asObject(response["incomplete_details"])?.["reason"]);
    if (this.status === "completed") this.finishes.set(0, "stop");
    if (this.status === "incomplete") this.finishes.set(0, reason === "max_output_tokens" ? "length" : (reason ?? "incomplete"));
  }

  private keep(piece: unknown): void {
    if (typeof piece !== "string" || piece === "") return;
    if (this.keptLength + piece.length > maxKeptText) {
      this.droppedBytes += piece.length;
      return;
    }
    this.pieces.push(piece);
    this.keptLength += piece.length;
  }
}

function roleOfChunk(json: Json, choices: readonly unknown[]): EventRole {
  if (!("usage" in json)) return "content";
  if (json["usage"] === null) return "usage_null";
  const isEmpty = Array.isArray(json["choices"]) && choices.length === 0;
  return isEmpty && !otherPayload.some((name) => name in json) ? "usage_only" : "content";
}

/** A failure reported inside a 200, in every form vendors use (dialect §2.4, §5.1), as its message. */
function errorOf(json: Json, type: string | null, response: Json | null): string | null {
  const error = asObject(json["error"]) ?? (type === "response.failed" ? asObject(response?.["error"]) : null);
  if (error !== null) return asText(error["message"]) ?? "the vendor gave no message";
  if (typeof json["error"] === "string") return json["error"];
  if (type === "error") return asText(json["message"]) ?? "the vendor gave no message";
  return null;
}

function parse(data: string): Json | null {
  try {
    return asObject(JSON.parse(data));
  } catch {
    return null;
  }
}
