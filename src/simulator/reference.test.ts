import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { post, withSimulator } from "../../test/support/simulator.ts";
import { directiveNames } from "./directives.ts";
import { faultNames } from "./faults.ts";
import { profileNames } from "./profiles.ts";

const page = readFileSync(new URL("../../docs/reference/simulator.md", import.meta.url), "utf8");

test("the reference page names every profile, fault and directive", () => {
  const names = [...profileNames, ...faultNames, ...directiveNames];
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test("the reference page names every field of the bill", () =>
  withSimulator({ profile: "openai" }, async (simulator) => {
    await post(simulator, "/v1/chat/completions", {
      model: "gpt-4o",
      messages: [{ role: "user", content: "go" }],
    });
    const fields = Object.keys(simulator.bill()[0] ?? {});
    expect(fields.length).toBeGreaterThan(15);
    expect(fields.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  }));
