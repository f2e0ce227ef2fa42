import { deltaTexts, responseTexts } from "../core/dialects.ts";
import { asArray, asObject, asText } from "./usage.ts";

type Json = Readonly<Record<string, unknown>>;

/** What an estimate of the output rests on; bounded, and whether something was left out. */
export interface SeenOutput {
  readonly text: string;
  /** Bytes of text beyond the bound, not kept. */
  readonly droppedBytes: number;
  readonly finishReasons: readonly string[];
  readonly hasTools: boolean;
  readonly hasFilter: boolean;
  /** Reasoning that was shown: a model that shows some may bill more than it shows. */
  readonly hasReasoning: boolean;
}

const maxKeptText = 1_048_576;
const maxKeptItems = 1_000;

/** Collects what an answer says: bounded text, finish reasons, and the items of a Responses answer. */
export class OutputCollector {
  private readonly pieces: string[] = [];
  private keptLength = 0;
  private droppedBytes = 0;
  private readonly finishes = new Map<number, string>();
  /** The largest index of a choice that has come. */
  private lastIndex = 0;
  private hasTools = false;
  private hasFilter = false;
  private hasReasoning = false;
  private readonly toolNames = new Set<string>();
  /** Output items of a Responses answer by id, in the order of coming. */
  private readonly items = new Map<string, Json>();

  seen(): SeenOutput {
    return {
      text: this.pieces.join(""),
      droppedBytes: this.droppedBytes,
      finishReasons: [...this.finishes.values()],
      hasTools: this.hasTools,
      hasFilter: this.hasFilter,
      hasReasoning: this.hasReasoning,
    };
  }

  /** Whether anything has come that a vendor would bill as output. */
  hasOutput(): boolean {
    return this.keptLength > 0 || this.hasTools || this.finishes.size > 0;
  }

  hasText(): boolean {
    return this.keptLength > 0;
  }

  hasFinish(): boolean {
    return this.finishes.size > 0;
  }

  /** Whether each choice that has come has finished, for a reason that is one of those meant. */
  haveAllFinished(isMeant: (reason: string) => boolean): boolean {
    return this.finishes.size > this.lastIndex && [...this.finishes.values()].every(isMeant);
  }

  /** One choice of a chat or legacy completion, streamed or whole. */
  choice(choice: Json): void {
    const index = typeof choice["index"] === "number" ? choice["index"] : 0;
    if (index > this.lastIndex) this.lastIndex = index;
    const finish = asText(choice["finish_reason"]);
    if (finish !== null) this.finishes.set(index, finish);
    if (finish === "content_filter") this.hasFilter = true;
    this.delta(asObject(choice["delta"]) ?? asObject(choice["message"]), index);
    this.keep(choice["text"]);
  }

  /** One event of a Responses stream. */
  responseEvent(event: Json, type: string): void {
    if (responseTexts.has(type)) this.keep(event["delta"]);
    const item = asObject(event["item"]);
    if (item === null) return;
    if (type === "response.output_item.added" && isCall(item)) {
      this.hasTools = true;
      this.keep(item["name"]);
    }
    if (type === "response.output_item.done") this.addItem(item);
  }

  /** A response object: the end of a stream, or a whole answer, whose text has not come in events. */
  response(response: Json, isWhole: boolean): void {
    for (const value of asArray(response["output"])) {
      const item = asObject(value);
      if (item === null) continue;
      this.addItem(item);
      if (isWhole) this.itemText(item);
    }
    const status = asText(response["status"]);
    const reason = asText(asObject(response["incomplete_details"])?.["reason"]);
    if (status === "completed") this.finishes.set(0, "stop");
    if (status !== "incomplete") return;
    this.finishes.set(0, reason === "max_output_tokens" ? "length" : (reason ?? "incomplete"));
    if (reason === "content_filter") this.hasFilter = true;
  }

  /** Items of a Responses answer, each once. */
  outputItems(): readonly Json[] {
    return [...this.items.values()];
  }

  private addItem(item: Json): void {
    const id = asText(item["id"]) ?? `#${this.items.size}`;
    if (this.items.size < maxKeptItems || this.items.has(id)) this.items.set(id, item);
  }

  private itemText(item: Json): void {
    if (isCall(item)) this.hasTools = true;
    this.keep(item["name"]);
    this.keep(item["arguments"]);
    this.keep(item["input"]);
    for (const value of [...asArray(item["content"]), ...asArray(item["summary"])]) {
      const part = asObject(value);
      this.keep(part?.["text"]);
      this.keep(part?.["refusal"]);
    }
  }

  private delta(delta: Json | null, index: number): void {
    if (delta === null) return;
    for (const name of deltaTexts) {
      if (name.startsWith("reasoning") && asText(delta[name]) !== null) this.hasReasoning = true;
      this.keep(delta[name]);
    }
    for (const part of asArray(delta["content"])) this.contentPart(asObject(part));
    this.call(asObject(delta["function_call"]), `${index}`);
    for (const value of asArray(delta["tool_calls"])) {
      const tool = asObject(value);
      this.call(
        asObject(tool?.["function"]) ?? asObject(tool?.["custom"]),
        `${index}.${String(tool?.["index"] ?? tool?.["id"])}`,
      );
    }
  }

  /** Mistral sends content as a list of parts, thinking among them, nested. */
  private contentPart(part: Json | null): void {
    if (part === null) return;
    this.keep(part["text"]);
    if (part["type"] !== "thinking") return;
    this.hasReasoning = true;
    this.keep(part["thinking"]);
    for (const inner of asArray(part["thinking"])) this.keep(asObject(inner)?.["text"]);
  }

  private call(call: Json | null, id: string): void {
    if (call === null) return;
    this.hasTools = true;
    // A vendor may repeat the name on every fragment; it is billed once.
    if (asText(call["name"]) !== null && !this.toolNames.has(id)) {
      this.toolNames.add(id);
      this.keep(call["name"]);
    }
    this.keep(call["arguments"]);
    this.keep(call["input"]);
  }

  private keep(piece: unknown): void {
    if (typeof piece !== "string" || piece === "") return;
    if (this.keptLength + piece.length > maxKeptText) {
      this.droppedBytes += encoder.encode(piece).length;
      return;
    }
    this.pieces.push(piece);
    this.keptLength += piece.length;
  }
}

const encoder = new TextEncoder();
const isCall = (item: Json): boolean =>
  item["type"] === "function_call" || item["type"] === "custom_tool_call";
