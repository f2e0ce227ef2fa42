import type { Choice } from "./answers.ts";
import { tokenLogprobs } from "./logprobs.ts";
import type { ChatShape, Part, ShapeContext } from "./shapes/shape.ts";
import { splitIntoPieces } from "./tokens.ts";

/** One part of an answer, and the billed tokens it was generated as. */
export interface Move {
  readonly part: Part;
  readonly output: number;
  readonly reasoning: number;
}

/**
 * What is said in which order: roles, then each choice's reasoning, then the choices token by token in turn.
 */
export function* moves(context: ShapeContext, shape: ChatShape): Generator<Move> {
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
