import { type Ask, lastUserText, type Tool } from "./ask.ts";
import type { PromptCache } from "./cache.ts";
import type { Directives } from "./directives.ts";
import { familyOf } from "./families.ts";
import type { Model } from "./models.ts";
import { minimalJson, writeToolCalls } from "./objects.ts";
import { createRandom, type Random } from "./seeded.ts";
import { writeText } from "./text.ts";
import { countTokens, encodeText, type Piece, splitIntoPieces } from "./tokens.ts";

export type Finish = "stop" | "length" | "tool_calls" | "content_filter";

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly fragments: readonly Piece[];
  /** Billed tokens of the call besides its arguments: its name and its framing. */
  readonly framing: number;
}

/** One choice of an answer, complete. Output billed = reasoning + pieces + calls + hidden. */
export interface Choice {
  readonly index: number;
  readonly reasoning: number;
  readonly pieces: readonly Piece[];
  readonly calls: readonly ToolCall[];
  readonly hidden: number;
  readonly finish: Finish;
}

/** Tokens as the vendor counts and bills them; cached and written are parts of input, reasoning of output. */
export interface Count {
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  readonly acceptedPrediction: number;
  readonly rejectedPrediction: number;
}

export interface Answer {
  readonly choices: readonly Choice[];
  readonly count: Count;
}

/** The prompt as the vendor counts it. */
export interface Prompt {
  /** The token ids of its text, which the prompt cache knows it by. */
  readonly ids: readonly number[];
  /** Billed input: the text and its framing. */
  readonly input: number;
  /** How much of it the tools are. */
  readonly tools: number;
}

export interface AnswerInputs {
  readonly ask: Ask;
  readonly prompt: Prompt;
  readonly model: Model;
  readonly directives: Directives;
  readonly seed: number;
  readonly cache: PromptCache;
}

/** Tokens of the default answer: this many, and up to `spread` more. */
const shortest = 8;
const spread = 33;
/** Reasoning comes in steps of this many tokens (all gpt-5 captures). */
const reasoningStep = 64;
/** Tokens that each tool adds to the prompt besides its definition. */
const toolFraming = 7;
const effortFactor: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 0,
  low: 0.5,
  medium: 1,
  high: 2,
  xhigh: 4,
  max: 8,
};

/** The answer to `ask`: a function of the seed, the model, the messages and what the prompt cache holds. */
export function writeAnswer(inputs: AnswerInputs): Answer {
  const { ask, model, prompt } = inputs;
  const { cached, written } = inputs.cache.use(model.name, prompt.ids);
  const perPrompt = ask.api === "completions" ? ask.messages.length : 1;
  const choices: Choice[] = [];
  for (let index = 0; index < ask.choiceCount * perPrompt; index++) choices.push(writeChoice(inputs, index));
  const output = sum(choices.map(outputOf));
  const rejected = rejectedPrediction(ask, choices);
  return {
    choices:
      rejected.rejected === 0
        ? choices
        : choices.map((c) => (c.index === 0 ? { ...c, hidden: c.hidden + rejected.rejected } : c)),
    count: {
      input: prompt.input,
      cachedInput: cached,
      cacheWrite: model.chargesCacheWrites ? written : 0,
      output: output + rejected.rejected,
      reasoning: sum(choices.map((choice) => choice.reasoning)),
      acceptedPrediction: rejected.accepted,
      rejectedPrediction: rejected.rejected,
    },
  };
}

function outputOf(choice: Choice): number {
  const calls = choice.calls.map((call) => call.framing + sum(call.fragments.map((piece) => piece.tokens)));
  return choice.reasoning + choice.hidden + sum(choice.pieces.map((piece) => piece.tokens)) + sum(calls);
}

/** Counts a prompt: what `POST /v1/responses/input_tokens` states and every answer bills. */
export function readPrompt(ask: Ask, model: Model): Prompt {
  const texts = ask.messages.flatMap((message) => encodeText(message.text, model.encoding));
  const tools = ask.tools.flatMap((tool) => encodeText(JSON.stringify(tool.source), model.encoding));
  const ids = texts.concat(tools);
  return {
    ids,
    input: ids.length + promptOverhead(ask, model) + ask.tools.length * toolFraming,
    tools: tools.length + ask.tools.length * toolFraming,
  };
}

/**
 * The cookbook's framing: 3 per message and its role, 1 per name, 3 at the end. Images at a flat 765, which
 * is what gpt-4o counts for 1024 × 1024.
 */
function promptOverhead(ask: Ask, model: Model): number {
  if (ask.api === "completions" || ask.api === "embeddings") return 0;
  let tokens = 3 + model.promptExtra;
  for (const message of ask.messages) {
    tokens += 3 + countTokens(message.role, model.encoding) + message.images * 765;
    if (message.name !== null) tokens += 1 + countTokens(message.name, model.encoding);
  }
  return tokens;
}

function writeChoice(inputs: AnswerInputs, index: number): Choice {
  const { ask, model, directives } = inputs;
  const random = createRandom(inputs.seed, model.name, JSON.stringify(ask.messages), index);
  const user = lastUserText(ask.messages);
  const tools = calledTools(ask, user);
  const echo = directives.tokens === null ? (/Say "([^"]*)" and nothing else/.exec(user)?.[1] ?? null) : null;
  const calls = tools.length > 0 ? writeToolCalls(tools, user, random) : [];
  const pieces = calls.length > 0 ? [] : endAtStop(writePieces(inputs, echo, random), ask.stops);
  const visible =
    sum(pieces.map((p) => p.tokens)) +
    sum(calls.map((c) => c.framing + sum(c.fragments.map((f) => f.tokens))));
  const reasoning = reasoningFor(inputs, visible, echo === null ? random : null);
  const whole: Choice = {
    index,
    reasoning,
    pieces,
    calls,
    hidden: model.hiddenOutput,
    finish: calls.length > 0 ? "tool_calls" : "stop",
  };
  const cap = Math.min(ask.outputCap ?? model.maxOutput, model.maxOutput);
  return outputOf(whole) <= cap ? whole : capChoice(whole, cap);
}

/** The cap covers reasoning and visible tokens alike; a choice that reaches it bills exactly the cap. */
function capChoice(choice: Choice, cap: number): Choice {
  const reasoning = Math.min(choice.reasoning, cap);
  const pieces = takePieces(choice.pieces, cap - reasoning);
  const calls: ToolCall[] = [];
  let room = cap - reasoning - sum(pieces.map((piece) => piece.tokens));
  for (const call of choice.calls) {
    if (call.framing > room) break;
    const fragments = takePieces(call.fragments, room - call.framing);
    calls.push({ ...call, fragments });
    room -= call.framing + sum(fragments.map((piece) => piece.tokens));
  }
  const isWhole =
    pieces.length === choice.pieces.length &&
    calls.length === choice.calls.length &&
    reasoning === choice.reasoning;
  const cutCall = calls.some((call, at) => call.fragments.length < (choice.calls[at]?.fragments.length ?? 0));
  return {
    ...choice,
    reasoning,
    pieces,
    calls,
    hidden: room,
    finish: isWhole && !cutCall && room > 0 ? choice.finish : "length",
  };
}

function takePieces(pieces: readonly Piece[], tokens: number): Piece[] {
  const taken: Piece[] = [];
  let left = tokens;
  for (const piece of pieces) {
    if (piece.tokens > left) break;
    taken.push(piece);
    left -= piece.tokens;
  }
  return taken;
}

/** The pieces before the first stop sequence; a piece that it begins in is cut. */
function endAtStop(pieces: readonly Piece[], stops: readonly string[]): readonly Piece[] {
  if (stops.length === 0) return pieces;
  const text = pieces.map((piece) => piece.text).join("");
  const places = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  let left = Math.min(text.length, ...places);
  return pieces.flatMap((piece) => {
    const kept = piece.text.slice(0, left);
    left -= kept.length;
    return kept === "" ? [] : [{ ...piece, text: kept }];
  });
}

function writePieces(inputs: AnswerInputs, echo: string | null, random: Random): readonly Piece[] {
  const { ask, directives } = inputs;
  if (directives.tokens !== null) return writeText(random, directives.tokens);
  if (ask.format.kind === "json_schema")
    return splitIntoPieces(JSON.stringify(minimalJson(ask.format.schema)));
  if (ask.format.kind === "json_object") return splitIntoPieces('{"answer":"yes"}');
  if (echo !== null) return splitIntoPieces(echo);
  return writeText(random, shortest + random.below(spread));
}

/** 64 tokens for each 8 visible ones, by effort; a free answer is thought about a little more or less. */
function reasoningFor(inputs: AnswerInputs, visible: number, random: Random | null): number {
  const { ask, model, directives } = inputs;
  const family = familyOf(model);
  if (!family.thinks) return 0;
  if (directives.reasoning !== null) return directives.reasoning;
  const effort = ask.effort ?? family.efforts[0] ?? "medium";
  const factor = effortFactor[effort] ?? 1;
  if (factor === 0) return 0;
  const steps = Math.ceil(visible / 8) + (random === null ? 0 : random.below(4));
  return reasoningStep * Math.min(Math.max(1, Math.round(steps * factor)), 512);
}

/** Tools are called when they must be, or when the user asks about the weather and no result is there yet. */
function calledTools(ask: Ask, user: string): readonly Tool[] {
  if (ask.tools.length === 0 || ask.toolChoice === "none") return [];
  if (ask.messages.at(-1)?.role === "tool") return [];
  const named = ask.tools.find((tool) => tool.name === ask.toolChoice);
  if (named !== undefined) return [named];
  const [first] = ask.tools;
  if (first === undefined) return [];
  if (ask.toolChoice !== "required" && !/weather/i.test(user)) return [];
  const cities = ask.parallelTools ? Math.max(1, [...user.matchAll(/\bin [A-Z]/g)].length) : 1;
  return Array.from({ length: cities }, () => first);
}

/**
 * A predicted output: words that match the answer's beginning are accepted, the rest was generated for
 * nothing.
 */
function rejectedPrediction(ask: Ask, choices: readonly Choice[]): { accepted: number; rejected: number } {
  if (ask.prediction === null) return { accepted: 0, rejected: 0 };
  const predicted = splitIntoPieces(ask.prediction);
  const answer = choices[0]?.pieces ?? [];
  let accepted = 0;
  while (accepted < predicted.length && predicted[accepted]?.text === answer[accepted]?.text) accepted += 1;
  return { accepted, rejected: predicted.length - accepted };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
