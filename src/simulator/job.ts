import type { Answer } from "./answers.ts";
import type { Ask } from "./ask.ts";
import type { Attempt } from "./attempt.ts";
import type { Directives } from "./directives.ts";
import type { Model } from "./models.ts";
import type { Route } from "./routes.ts";
import type { ShapeContext } from "./shapes/shape.ts";

export type GenerateRoute = Extract<Route, { kind: "generate" }>;

/** A request that the vendor takes, read. */
export interface Accepted {
  readonly attempt: Attempt;
  readonly route: GenerateRoute;
  readonly ask: Ask;
  readonly model: Model;
  readonly directives: Directives;
}

/** An accepted request and its answer, with all it takes to write it. */
export interface Job extends Accepted {
  readonly answer: Answer;
  readonly context: ShapeContext;
}
