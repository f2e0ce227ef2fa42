import { expect, test } from "vitest";
import { measurePacing } from "../../bench/simulator-pacing.ts";
import { withSimulator } from "../../test/support/simulator.ts";

test("the pacing benchmark still runs", () =>
  withSimulator({ profile: "openai" }, async (simulator) => {
    const options = { port: simulator.port, streams: 3, tokensPerSecond: 500, tokens: 5, rampMs: 3 };
    expect(await measurePacing(options)).toMatch(/^ +3( +-?[\d.]+){6}$/);
  }));
