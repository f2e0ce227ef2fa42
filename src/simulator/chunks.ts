import type { Choice } from "./answers.ts";
import { tokenLogprobs } from "./logprobs.ts";
import {
  type ChatShape,
  frame,
  type Part,
  type ShapeContext,
  textOf,
  type UsageField,
} from "./shapes/shape.ts";
import { splitIntoPieces } from "./tokens.ts";

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

interface Move {
  readonly part: Part;
  readonly output: number;
  readonly reasoning: number;
}

/** A streamed chat answer, step by step, in the vendor's shape. */
export function* chatSteps(context: ShapeContext, shape: ChatShape): Generator<Step> {
  yield silent("opening", shape.opening(context));
  const write = frameWriter(context, shape);
  const running = new RunningTotals();
  const sent = isUsageSent(context, shape);
  const elsewhere = sent && shape.usage.elsewhere === "null" ? null : undefined;
  for (const move of moves(context, shape)) {
    running.add(move);
    if (move.part.kind === "finish" && move.part.index === 0 && shape.beforeFinish !== undefined) {
      yield silent("text", shape.beforeFinish(context, elsewhere));
    }
    const isHidden = move.part.kind === "reasoning" && !shape.showsReasoning;
    const data = isHidden ? "" : write(move.part, running);
    yield { kind: move.part.kind, data, output: move.output, reasoning: move.reasoning };
  }
  const placement = shape.usage;
  if (shape.afterFinish !== undefined) yield silent("after", shape.afterFinish(context, elsewhere));
  const isOwn =
    placement.where === "own_chunk" ? sent : placement.hasOwnChunkToo === true && context.ask.includeUsage;
  if (isOwn && context.reported !== null) {
    const usage = shape.usageObject(context, context.reported);
    yield silent("usage", frame(shape.chunk(context, { kind: "usage" }, usage)));
  }
  yield silent("ending", shape.ending(context));
}

function silent(kind: Step["kind"], data: string): Step {
  return { kind, data, output: 0, reasoning: 0 };
}

function isUsageSent(context: ShapeContext, shape: ChatShape): boolean {
  return shape.usage.isUnasked || context.ask.includeUsage;
}

interface Generated {
  readonly output: number;
  readonly reasoning: number;
}

/** What was generated so far: in all, and by choice, which is what vLLM's running totals count. */
class RunningTotals {
  readonly #byChoice = new Map<number, Generated>();
  #all: Generated = { output: 0, reasoning: 0 };

  add(move: Move): void {
    this.#all = plus(this.#all, move);
    if ("index" in move.part) this.#byChoice.set(move.part.index, plus(this.of(move.part.index), move));
  }

  all(): Generated {
    return this.#all;
  }

  of(choice: number): Generated {
    return this.#byChoice.get(choice) ?? { output: 0, reasoning: 0 };
  }
}

function plus(left: Generated, right: Generated): Generated {
  return { output: left.output + right.output, reasoning: left.reasoning + right.reasoning };
}

type WritePart = (part: Part, running: RunningTotals) => string;

/**
 * Writes frames; plain text deltas come from a template rendered once, because they are nearly all of a
 * stream.
 */
function frameWriter(context: ShapeContext, shape: ChatShape): WritePart {
  const last = context.answer.choices.length - 1;
  const templates = new Map<number, Template>();
  return (part, running) => {
    const usage = usageFor(context, shape, part, running, last);
    const isPlain = part.kind === "text" && part.logprobs === null && !isJsonUsage(usage);
    if (!isPlain) return frame(shape.chunk(context, part, usage));
    let template = templates.get(part.index);
    if (template === undefined) {
      template = renderTemplate(context, shape, part.index, usage);
      templates.set(part.index, template);
    }
    const [head, middle, tail] = template;
    const text = JSON.stringify(part.text).slice(1, -1);
    if (tail === null) return `${head}${text}${middle}`;
    return `${head}${text}${middle}${context.random.text(16 - (textOf(part).length % 16))}${tail}`;
  };
}

const textMark = "\u0001text\u0001";
const textMarkJson = JSON.stringify(textMark).slice(1, -1);
const fillerMark = "FILLER";

/** A text frame: what comes before the text, what comes before the filler, and the rest; null = no filler. */
type Template = readonly [head: string, middle: string, tail: string | null];

function renderTemplate(context: ShapeContext, shape: ChatShape, index: number, usage: UsageField): Template {
  const random = { ...context.random, text: () => fillerMark };
  const chunk = shape.chunk(
    { ...context, random },
    { kind: "text", index, text: textMark, logprobs: null },
    usage,
  );
  const [head, rest] = frame(chunk).split(textMarkJson);
  if (head === undefined || rest === undefined)
    throw new Error("Cannot render a text chunk: its shape leaves the text out.");
  const [middle, tail] = rest.split(fillerMark);
  return [head, middle ?? "", tail ?? null];
}

function isJsonUsage(usage: UsageField): boolean {
  return usage !== null && usage !== undefined;
}

function usageFor(
  context: ShapeContext,
  shape: ChatShape,
  part: Part,
  running: RunningTotals,
  last: number,
): UsageField {
  const { where, elsewhere } = shape.usage;
  const { reported } = context;
  if (!isUsageSent(context, shape)) return undefined;
  if (reported !== null) {
    const isLastFinish = part.kind === "finish" && part.index === last;
    if (isLastFinish && where !== "own_chunk") return shape.usageObject(context, reported);
    if (where === "every_chunk") return shape.usageObject(context, { ...reported, ...running.all() });
    const isContinuous = context.ask.continuousUsage && elsewhere === "absent" && "index" in part;
    if (isContinuous) return shape.usageObject(context, { ...reported, ...running.of(part.index) });
  }
  return elsewhere === "null" ? null : undefined;
}

/**
 * What is said in which order: roles, then each choice's reasoning, then the choices token by token in turn.
 */
function* moves(context: ShapeContext, shape: ChatShape): Generator<Move> {
  const { answer } = context;
  for (const choice of shape.hasRoleChunk ? answer.choices : []) {
    const hasCalls = choice.calls.length > 0;
    if (hasCalls && shape.opensWithCall === true) continue;
    yield { part: { kind: "role", index: choice.index, hasCalls }, output: 0, reasoning: 0 };
  }
  const lines = answer.choices.map((choice) => choiceMoves(context, shape, choice));
  let open = lines;
  while (open.length > 0) {
    const still: typeof lines = [];
    for (const line of open) {
      const next = line.next();
      if (next.done === true) continue;
      yield next.value;
      still.push(line);
    }
    open = still;
  }
}

function* choiceMoves(context: ShapeContext, shape: ChatShape, choice: Choice): Generator<Move> {
  const { index } = choice;
  yield* reasoningMoves(shape, choice);
  for (const piece of choice.pieces) {
    const logprobs = tokenLogprobs(context.ask, piece.text);
    yield { part: { kind: "text", index, text: piece.text, logprobs }, output: piece.tokens, reasoning: 0 };
  }
  for (const [at, call] of choice.calls.entries()) {
    const opens = at === 0 && shape.opensWithCall === true;
    const part: Part = { kind: "call", index, call: at, id: call.id, name: call.name, opens };
    yield { part, output: call.framing, reasoning: 0 };
    for (const piece of call.fragments) {
      yield {
        part: { kind: "arguments", index, call: at, text: piece.text },
        output: piece.tokens,
        reasoning: 0,
      };
    }
  }
  yield { part: { kind: "finish", index, finish: choice.finish }, output: choice.hidden, reasoning: 0 };
}

const reasoningText = " weighing the request and what to say about it";

function* reasoningMoves(shape: ChatShape, choice: Choice): Generator<Move> {
  const visible = shape.showsReasoning ? splitIntoPieces(reasoningText) : [];
  for (let spent = 0; spent < choice.reasoning; ) {
    const piece = visible[spent % Math.max(1, visible.length)];
    const tokens = Math.min(piece === undefined ? 16 : 1, choice.reasoning - spent);
    const part: Part = { kind: "reasoning", index: choice.index, text: piece?.text ?? "" };
    yield { part, output: tokens, reasoning: tokens };
    spent += tokens;
  }
}
