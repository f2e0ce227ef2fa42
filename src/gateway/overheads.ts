import type { InputShape, Lesson } from "../core/lessons.ts";
import type { DeploymentRoute } from "../core/routing.ts";
import type { RequestFacts } from "../protocol/request.ts";

/** Requests of a kind that must agree before their overhead is believed. */
const leastSamples = 3;
const mostSamples = 15;

/** Requests with tools carry hidden input of another size than plain ones. */
export const shapeOf = (facts: RequestFacts): InputShape => {
  const { tools, functions } = facts.body;
  return (Array.isArray(tools) && tools.length > 0) || (Array.isArray(functions) && functions.length > 0)
    ? "tools"
    : "plain";
};

/** Tokens that a deployment adds to what is counted, as learned; 0 while nothing is known. */
export function overheadOf(lessons: readonly Lesson[], shape: InputShape): number {
  for (const lesson of lessons) {
    if (lesson.kind === "input_overhead" && (lesson.shape ?? "plain") === shape) return lesson.tokens;
  }
  return 0;
}

/**
 * Learns what each deployment adds to the input from requests whose usage the vendor reported: the median of the last
 * differences, once they agree. Memory of this process; what it finds becomes a lesson that all processes read.
 */
export class OverheadLearner {
  private readonly differences = new Map<string, number[]>();

  /** The first requests of a deployment are always worth comparing. */
  needsSamples(route: DeploymentRoute, shape: InputShape): boolean {
    return (this.differences.get(nameOf(route, shape))?.length ?? 0) < leastSamples;
  }

  /** Takes one comparison; gives a lesson when it tells something new. `known` is what is believed now. */
  add(route: DeploymentRoute, shape: InputShape, seen: { difference: number; known: number }): Lesson | null {
    const name = nameOf(route, shape);
    const all = [...(this.differences.get(name) ?? []), seen.difference].slice(-mostSamples);
    this.differences.set(name, all);
    if (all.length < leastSamples) return null;
    const median = [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] as number;
    // A plain chat adds a constant, so most must show it; tools vary with their text.
    const agreeing = all.filter((one) => one === median).length;
    if (median === seen.known || (shape === "plain" && agreeing * 2 <= all.length)) return null;
    const evidence = `${all.length} requests with the vendor's usage differed from the count by ${all.slice(-5).join(", ")}`;
    return {
      kind: "input_overhead",
      tokens: median,
      samples: all.length,
      evidence,
      ...(shape === "tools" ? { shape } : {}),
    };
  }
}

const nameOf = (route: DeploymentRoute, shape: InputShape): string =>
  `${route.endpoint}\0${route.deployment}\0${shape}`;
