import type { Answer, Count, Finish } from "../answers.ts";
import type { Ask } from "../ask.ts";
import type { JsonObject } from "../json.ts";
import type { Random } from "../seeded.ts";

/** One thing a stream says, before it has the vendor's shape. */
export type Part =
  | { readonly kind: "role"; readonly index: number; readonly hasCalls: boolean }
  | { readonly kind: "reasoning"; readonly index: number; readonly text: string }
  | {
      readonly kind: "text";
      readonly index: number;
      readonly text: string;
      readonly logprobs: JsonObject | null;
    }
  | {
      readonly kind: "call";
      readonly index: number;
      readonly call: number;
      readonly id: string;
      readonly name: string;
      /** It also brings the role. */
      readonly opens: boolean;
    }
  | { readonly kind: "arguments"; readonly index: number; readonly call: number; readonly text: string }
  | { readonly kind: "finish"; readonly index: number; readonly finish: Finish }
  | { readonly kind: "usage" };

export type ChoicePart = Exclude<Part, { readonly kind: "usage" }>;

/** What every chunk of one answer has in common. */
export interface ShapeContext {
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** The name the answer gives for the model that served it. */
  readonly model: string;
  readonly tier: string;
  readonly fingerprint: string | null;
  readonly deployment: string;
  readonly apiVersion: string | null;
  readonly ask: Ask;
  readonly answer: Answer;
  /** What the answer reports, which a fault may falsify; null = it reports nothing. */
  readonly reported: Count | null;
  readonly random: Random;
}

/** Where a vendor puts the usage of a stream (dialect: other vendors). */
export interface UsagePlacement {
  readonly where: "own_chunk" | "finish_chunk" | "every_chunk" | "finish_choice";
  /** Sent without being asked for. */
  readonly isUnasked: boolean;
  /** What the other chunks carry when usage is sent: `usage:null`, or no such key. */
  readonly elsewhere: "null" | "absent";
  /** When usage was asked for, a chunk of its own follows besides. */
  readonly hasOwnChunkToo?: boolean;
}

/** `null` writes the key as null, `undefined` leaves it out. */
export type UsageField = JsonObject | null | undefined;

/** How one vendor writes chat answers. */
export interface ChatShape {
  readonly usage: UsagePlacement;
  /** Whether reasoning shows in the stream; if not it only takes time and is billed. */
  readonly showsReasoning: boolean;
  /** Whether the role comes in a chunk of its own before the text. */
  readonly hasRoleChunk: boolean;
  /** The role comes with the first tool call instead, when there is one. */
  readonly opensWithCall?: boolean;
  usageObject(context: ShapeContext, count: Count): JsonObject;
  /** Raw frames before the first chunk: comments, or Azure's empty filter chunk. */
  opening(context: ShapeContext): string;
  chunk(context: ShapeContext, part: Part, usage: UsageField): JsonObject;
  /** Raw frames before the finish. */
  beforeFinish?(context: ShapeContext, usage: UsageField): string;
  /** Raw frames after the finish and before the usage chunk. */
  afterFinish?(context: ShapeContext, usage: UsageField): string;
  /** Raw frames at the end, `data: [DONE]` for nearly everyone. */
  ending(context: ShapeContext): string;
  body(context: ShapeContext, usage: UsageField): string;
  errorFrame(): JsonObject;
}

export const doneFrame = "data: [DONE]\n\n";

export function frame(chunk: JsonObject): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/**
 * Filler that pads each delta to a multiple of 16 characters, as OpenAI and Azure send it unless told not to.
 */
export function obfuscationFor(context: ShapeContext, text: string): string | undefined {
  return context.ask.obfuscate ? context.random.text(16 - (text.length % 16)) : undefined;
}

/** The text that a part shows, which the obfuscation hides the length of. */
export function textOf(part: Part): string {
  return "text" in part ? part.text : "";
}

/** The whole text of one choice. */
export function textOfChoice(answer: Answer, index: number): string {
  return (answer.choices[index]?.pieces ?? []).map((piece) => piece.text).join("");
}
