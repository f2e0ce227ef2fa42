import { describe, expect, test } from "vitest";
import type { DeploymentRoute } from "../core/routing.ts";
import { OverheadLearner, overheadOf } from "./overheads.ts";

const route = { endpoint: "e", deployment: "d" } as DeploymentRoute;
const learn = (differences: number[], shape: "plain" | "tools" = "plain"): (number | null)[] => {
  const learner = new OverheadLearner();
  let known = 0;
  return differences.map((difference) => {
    const lesson = learner.add(route, shape, { difference, known });
    if (lesson?.kind !== "input_overhead") return null;
    known = lesson.tokens;
    return lesson.tokens;
  });
};

describe("what a deployment adds to the input", () => {
  test("is learned once three requests agree, and told once", () => {
    expect(learn([-1, -1, -1, -1])).toEqual([null, null, -1, null]);
  });
  test("is not learned from requests that disagree", () => {
    expect(learn([4, 9, 2, 7, 5])).toEqual([null, null, null, null, null]);
  });
  test("is learned anew when the vendor changes it", () => {
    expect(learn([4, 4, 4, 7, 7, 7, 7]).filter((one) => one !== null)).toEqual([4, 7]);
  });
  test("is nothing to tell when nothing is added", () => {
    expect(learn([0, 0, 0, 0])).toEqual([null, null, null, null]);
  });
  test("is the median for tools, whose size varies", () => {
    expect(learn([3, 9, 6], "tools")).toEqual([null, null, 6]);
  });
});

test("overheadOf() keeps plain requests and tools apart", () => {
  const lessons = [
    { kind: "input_overhead", tokens: 9, samples: 3, evidence: "", shape: "tools" },
    { kind: "input_overhead", tokens: -1, samples: 3, evidence: "" },
  ] as const;
  expect([overheadOf(lessons, "plain"), overheadOf(lessons, "tools"), overheadOf([], "plain")]).toEqual([
    -1, 9, 0,
  ]);
});
