import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadRanks } from "../../tokens/token-ranks.ts";
import { createCounter } from "./counter.ts";
import { planInput } from "./input.ts";
import { countTexts, estimateInput, isObject, type JsonObject, objectsOf } from "./plan.ts";

/**
 * The recorded vendor answers whose usage has to be estimated: what the manifest says an exact meter must
 * record.
 */
interface Fixture {
  readonly file: string;
  readonly request?: string;
  readonly expect: {
    readonly source: string;
    readonly prompt?: number | null;
    readonly completion?: number | null;
    readonly method?: string;
  };
}

const read = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url), "utf8");
const manifest: { fixtures: readonly Fixture[] } = JSON.parse(read("manifest.json"));
const estimated = manifest.fixtures.filter((fixture) => fixture.expect.source === "estimated");
const { count } = createCounter(await loadRanks("o200k_base"), "o200k_base");

const withRequest = estimated.filter(
  ({ request, expect }) => request !== undefined && typeof expect.prompt === "number",
);
test.each(withRequest)("the input of $file is estimated as recorded", ({ request, expect: { prompt } }) => {
  const body: JsonObject = JSON.parse(read(request as string));
  const plan = planInput("chat/completions", body, String(body.model));
  expect(estimateInput(plan, countTexts(plan.texts, count)).tokens).toBe(prompt);
});

/** An answer that ended at its cap is billed the cap, whatever its text. */
const byText = estimated.filter(
  ({ file, expect }) =>
    file.endsWith(".sse") && typeof expect.completion === "number" && !expect.method?.includes("= max_"),
);
test.each(byText)("the output of $file is estimated as recorded", ({ file, expect: { completion } }) => {
  expect(count(visibleText(read(file))).tokens).toBe(completion);
});

test("there are fixtures of both kinds", () => expect([withRequest.length, byText.length]).toEqual([7, 10]));

/** The text of all complete frames: chat deltas, or text deltas of the Responses API. */
function visibleText(stream: string): string {
  const frames = stream.split(/\r?\n\r?\n/).slice(0, -1);
  return frames
    .flatMap((frame) => frame.split(/\r?\n/).filter((line) => line.startsWith("data: {")))
    .map((line): unknown => JSON.parse(line.slice("data: ".length)))
    .filter(isObject)
    .flatMap((event) => [
      event.delta,
      ...objectsOf(event.choices).map(({ delta }) => isObject(delta) && delta.content),
    ])
    .filter((text) => typeof text === "string")
    .join("");
}
