import { expect, test } from "vitest";
import { post, withSimulator } from "../../test/support/simulator.ts";
import { demoRequests } from "./demo-traffic.ts";

test("demo traffic depends on its seed alone", () => {
  const first = [...demoRequests(1, 50)];
  expect([...demoRequests(1, 50)]).toEqual(first);
  expect([...demoRequests(2, 50)]).not.toEqual(first);
});

test("demo traffic has several models, streams, clients that leave and mishaps", () => {
  const all = [...demoRequests(8402, 400)];
  const text = JSON.stringify(all);
  expect(new Set(all.map(({ body }) => body.model)).size).toBe(4);
  expect(all.filter(({ body }) => body.stream === true).length).toBeGreaterThan(200);
  expect(all.filter(({ leavesAfterMs }) => leavesAfterMs !== null).length).toBeGreaterThan(20);
  for (const fault of ["500", "cut_before_usage", "error_event"]) expect(text).toContain(`fault=${fault}`);
});

test("demo traffic is understood by the simulator", () =>
  withSimulator({ profile: "openai" }, async (simulator) => {
    const statuses = new Set<number>();
    for (const { body } of demoRequests(3, 150)) {
      // The old name of the cap is the only thing that a vendor refuses for good.
      const { max_tokens, ...taken } = body;
      const model = body.model === "gpt-5-chat" ? "gpt-5-chat-latest" : body.model;
      statuses.add((await post(simulator, "/v1/chat/completions", { ...taken, model })).status);
    }
    expect([...statuses].sort()).toEqual([200, 429, 500, 503]);
  }));
