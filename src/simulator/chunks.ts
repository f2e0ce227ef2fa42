import { type Move, moves } from "./moves.ts";
import { type ChatShape, frame, type Part, type ShapeContext, type UsageField } from "./shapes/shape.ts";

/**
 * One thing that the simulated vendor does in the course of an answer: generate tokens, then send what shows.
 */
export interface Step {
  readonly kind: Part["kind"] | "opening" | "after" | "ending";
  /** The frames it sends, as they go over the wire; empty when it only takes time. */
  readonly data: string;
  /** Billed output tokens that it generated, and how many of them were reasoning. */
  readonly output: number;
  readonly reasoning: number;
}

/** A step that sends something and generates nothing. */
export function still(kind: Step["kind"], data: string): Step {
  return { kind, data, output: 0, reasoning: 0 };
}

/** A streamed chat answer, step by step, in the vendor's shape. */
export function* chatSteps(context: ShapeContext, shape: ChatShape): Generator<Step> {
  const { usage: placement } = shape;
  const isSent = placement.isUnasked || context.ask.includeUsage;
  const elsewhere = isSent && placement.elsewhere === "null" ? null : undefined;
  const writer = new ChunkWriter(context, shape);
  yield still("opening", shape.opening(context));
  for (const move of moves(context, shape)) {
    const { part, output, reasoning } = move;
    if (part.kind === "finish" && part.index === 0 && shape.beforeFinish !== undefined) {
      yield still("text", shape.beforeFinish(context, elsewhere));
    }
    yield { kind: part.kind, data: writer.write(move), output, reasoning };
  }
  if (shape.afterFinish !== undefined) yield still("after", shape.afterFinish(context, elsewhere));
  const isAsked = placement.hasOwnChunkToo === true && context.ask.includeUsage;
  if ((placement.where === "own_chunk" ? isSent : isAsked) && context.reported !== null) {
    const usage = shape.usageObject(context, context.reported);
    yield still("usage", frame(shape.chunk(context, { kind: "usage" }, usage)));
  }
  yield still("ending", shape.ending(context));
}

interface Generated {
  readonly output: number;
  readonly reasoning: number;
}

const nothing: Generated = { output: 0, reasoning: 0 };
const textMark = "\u0001text\u0001";
const textMarkJson = JSON.stringify(textMark).slice(1, -1);
const fillerMark = "FILLER";

/** A text frame: what comes before the text, what comes before the filler, and the rest; null = no filler. */
type Template = readonly [head: string, middle: string, tail: string | null];

/** Writes an answer's chunks one after the other, each with the usage that the vendor puts on it. */
class ChunkWriter {
  readonly #context: ShapeContext;
  readonly #shape: ChatShape;
  readonly #templates = new Map<number, Template>();
  /** What each choice has generated so far, for vendors that state running totals. */
  readonly #generated = new Map<number, Generated>();
  readonly #isRunning: boolean;

  constructor(context: ShapeContext, shape: ChatShape) {
    this.#context = context;
    this.#shape = shape;
    const { where, elsewhere } = shape.usage;
    const isContinuous = context.ask.continuousUsage && elsewhere === "absent";
    this.#isRunning = where === "every_chunk" || isContinuous;
  }

  /** The frame of a part; empty for reasoning that the vendor hides. */
  write(move: Move): string {
    const { part } = move;
    if (this.#isRunning) this.#count(move);
    if (part.kind === "reasoning" && !this.#shape.showsReasoning) return "";
    const usage = this.#usageOn(part);
    const isPlain = part.kind === "text" && part.logprobs === null && (usage === null || usage === undefined);
    return isPlain ? this.#writeText(part, usage) : frame(this.#shape.chunk(this.#context, part, usage));
  }

  /** Plain text comes from a template rendered once, because it is nearly all of a stream. */
  #writeText(part: { index: number; text: string }, usage: UsageField): string {
    let template = this.#templates.get(part.index);
    if (template === undefined) {
      template = this.#renderTemplate(part.index, usage);
      this.#templates.set(part.index, template);
    }
    const [head, middle, tail] = template;
    const text = JSON.stringify(part.text).slice(1, -1);
    if (tail === null) return `${head}${text}${middle}`;
    return `${head}${text}${middle}${this.#context.random.text(16 - (part.text.length % 16))}${tail}`;
  }

  #renderTemplate(index: number, usage: UsageField): Template {
    const random = { ...this.#context.random, text: () => fillerMark };
    const part: Part = { kind: "text", index, text: textMark, logprobs: null };
    const chunk = this.#shape.chunk({ ...this.#context, random }, part, usage);
    const [head, rest] = frame(chunk).split(textMarkJson);
    if (head === undefined || rest === undefined) {
      throw new Error("Cannot render a text chunk: its shape leaves the text out.");
    }
    const [middle, tail] = rest.split(fillerMark);
    return [head, middle ?? "", tail ?? null];
  }

  #usageOn(part: Part): UsageField {
    const { where, elsewhere, isUnasked } = this.#shape.usage;
    const { reported, ask, answer } = this.#context;
    if (!isUnasked && !ask.includeUsage) return undefined;
    if (reported !== null && "index" in part) {
      const isLastFinish = part.kind === "finish" && part.index === answer.choices.length - 1;
      if (isLastFinish && where !== "own_chunk") return this.#shape.usageObject(this.#context, reported);
      if (this.#isRunning) {
        const generated = where === "every_chunk" ? this.#generatedInAll() : this.#generatedOf(part.index);
        return this.#shape.usageObject(this.#context, { ...reported, ...generated });
      }
    }
    return elsewhere === "null" ? null : undefined;
  }

  #count({ part, output, reasoning }: Move): void {
    if (!("index" in part)) return;
    const before = this.#generatedOf(part.index);
    const now = { output: before.output + output, reasoning: before.reasoning + reasoning };
    this.#generated.set(part.index, now);
  }

  #generatedOf(choice: number): Generated {
    return this.#generated.get(choice) ?? nothing;
  }

  #generatedInAll(): Generated {
    const all = { output: 0, reasoning: 0 };
    for (const { output, reasoning } of this.#generated.values()) {
      all.output += output;
      all.reasoning += reasoning;
    }
    return all;
  }
}
