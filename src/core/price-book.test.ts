import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pico } from "./money.ts";
import { createPriceBook, namesToTry, priceRowId } from "./price-book.ts";
import type { PriceRow } from "./prices.ts";

function row(provider: string, model: string, from: string | number = 0, input = 1n): PriceRow {
  const instant = typeof from === "number" ? from : Date.parse(from);
  return {
    id: priceRowId(provider, model, instant),
    provider,
    model,
    from: instant,
    tiers: [{ aboveInputTokens: 0, prices: { input: pico(input) } }],
    serviceTiers: {},
    contextWindow: null,
    maxInputTokens: null,
    maxOutputTokens: null,
    origin: "test",
  };
}
const now = Date.parse("2026-11-20T00:00:00Z");

describe("find()", () => {
  const book = createPriceBook(
    [
      row("openai", "gpt-4o"),
      row("openai", "gpt-4o-2024-05-13"),
      row("openai", "gpt-4o-mini"),
      row("openai", "gpt-5.4"),
      row("openai", "gpt-4"),
      row("openai", "gpt-3.5-turbo"),
      row("openai", "gpt-3.5-turbo-0613"),
      row("openai", "ft:gpt-4o-mini"),
      row("openai", "gpt-4o-mini-2024-07-18.ft"),
      row("openai", "o3", 0),
      row("openai", "o3", "2025-06-10T00:00:00Z"),
      row("azure", "o3"),
      row("x-ai", "grok-4.5"),
      row("operator", "gpt-4o-mini", "2026-01-01T00:00:00Z"),
      row("operator", "my-tuned"),
    ],
    "test",
  );
  const idOf = (provider: string, model: string, at: string | number = now) =>
    book.find(provider, model, typeof at === "number" ? at : Date.parse(at))?.id ?? null;

  test.each([
    ["the model's own row", "openai", "gpt-4o", "openai/gpt-4o@1970-01-01T00:00:00Z"],
    ["the family of a dated snapshot", "openai", "gpt-4o-2024-08-06", "openai/gpt-4o@1970-01-01T00:00:00Z"],
    [
      "a snapshot's own row first",
      "openai",
      "gpt-4o-2024-05-13",
      "openai/gpt-4o-2024-05-13@1970-01-01T00:00:00Z",
    ],
    ["the family of a -MMDD snapshot", "openai", "gpt-4-0613", "openai/gpt-4@1970-01-01T00:00:00Z"],
    ["the family of a -YYYYMMDD snapshot", "x-ai", "grok-4.5-20260801", "x-ai/grok-4.5@1970-01-01T00:00:00Z"],
    ["OpenAI's row for Azure", "azure", "gpt-5.4", "openai/gpt-5.4@1970-01-01T00:00:00Z"],
    ["Azure's own row first, even its family's", "azure", "o3-2025-04-16", "azure/o3@1970-01-01T00:00:00Z"],
    ["Azure's old spelling", "azure", "gpt-35-turbo", "openai/gpt-3.5-turbo@1970-01-01T00:00:00Z"],
    [
      "a snapshot in Azure's old spelling",
      "azure",
      "gpt-35-turbo-0613",
      "openai/gpt-3.5-turbo-0613@1970-01-01T00:00:00Z",
    ],
    ["the operator's row first", "azure", "gpt-4o-mini", "operator/gpt-4o-mini@2026-01-01T00:00:00Z"],
    [
      "the operator's row for a snapshot",
      "openai",
      "gpt-4o-mini-2024-07-18",
      "operator/gpt-4o-mini@2026-01-01T00:00:00Z",
    ],
    ["the operator's row for any provider", "local", "my-tuned", "operator/my-tuned@1970-01-01T00:00:00Z"],
    [
      "the row of a fine-tune's base",
      "openai",
      "ft:gpt-4o-mini-2024-07-18:acme::7q",
      "openai/ft:gpt-4o-mini@1970-01-01T00:00:00Z",
    ],
    [
      "the row of an Azure fine-tune",
      "azure",
      "gpt-4o-mini-2024-07-18.ft-7q",
      "openai/gpt-4o-mini-2024-07-18.ft@1970-01-01T00:00:00Z",
    ],
  ])("finds %s", (_, provider, model, id) => expect(idOf(provider, model)).toBe(id));

  test.each([
    ["an unknown version", "openai", "gpt-5.7"],
    ["an unknown variant", "openai", "gpt-4o-foo"],
    ["an unknown larger sibling", "openai", "gpt-5.4-ultra"],
    ["an ending that is no date", "openai", "gpt-4o-2024-13-06"],
    ["a number that is no date", "openai", "gpt-4-9999"],
    ["a date in the middle", "openai", "gpt-4o-2024-08-06-preview"],
    ["a family that has no price of its own", "openai", "gpt-6-2026-01-01"],
    ["another provider's model", "groq", "gpt-5.4"],
    ["a fine-tune of a model that has no fine-tunes", "openai", "ft:gpt-5.4:acme::7q"],
    ["no name", "openai", ""],
    ["a name of the prototype", "openai", "constructor"],
    ["a provider of the prototype", "constructor", "gpt-4o"],
  ])("never guesses for %s", (_, provider, model) => expect(idOf(provider, model)).toBeNull());

  test("takes the last row that has begun", () => {
    expect(idOf("openai", "o3", "2025-06-09T23:59:59.999Z")).toBe("openai/o3@1970-01-01T00:00:00Z");
    expect(idOf("openai", "o3", "2025-06-10T00:00:00Z")).toBe("openai/o3@2025-06-10T00:00:00Z");
  });

  test("leaves the vendor's price in force until the operator's begins", () => {
    expect(idOf("openai", "gpt-4o-mini", "2025-12-31T00:00:00Z")).toBe(
      "openai/gpt-4o-mini@1970-01-01T00:00:00Z",
    );
  });
});

test("of two rows for the same instant the later one counts, and only it is listed", () => {
  const book = createPriceBook([row("openai", "gpt-4o", 0, 1n), row("openai", "gpt-4o", 0, 2n)], "test");
  expect(book.find("openai", "gpt-4o", now)?.tiers[0]?.prices.input).toBe(2n);
  expect(book.rows()).toHaveLength(1);
});

test.each([
  ["m-2024-01-01", ["m-2024-01-01", "m"]],
  ["m-2024-12-31", ["m-2024-12-31", "m"]],
  ["m-20241231", ["m-20241231", "m"]],
  ["m-0101", ["m-0101", "m"]],
  ["m-1231", ["m-1231", "m"]],
  ["m-2024-00-10", ["m-2024-00-10"]],
  ["m-2024-13-10", ["m-2024-13-10"]],
  ["m-2024-10-00", ["m-2024-10-00"]],
  ["m-20241301", ["m-20241301"]],
  ["m-20240132", ["m-20240132"]],
  ["m-0132", ["m-0132"]],
  ["m-1301", ["m-1301"]],
  ["m", ["m"]],
  ["ft:m:acme", ["ft:m:acme", "ft:m"]],
])("namesToTry() cuts off only what is a date or a fine-tune: %s", (model, names) => {
  expect(namesToTry(model)).toEqual(names);
});

test("namesToTry() tries the most exact name first", () => {
  expect(namesToTry("gpt-35-turbo-0613")).toEqual([
    "gpt-35-turbo-0613",
    "gpt-3.5-turbo-0613",
    "gpt-3.5-turbo",
  ]);
});

test("find() agrees with a search through all rows", () => {
  const provider = fc.constantFrom("openai", "azure", "operator", "groq");
  const model = fc.constantFrom("a", "b", "a-2024-05-13", "gpt-35-a");
  const rows = fc.array(fc.tuple(provider, model, fc.integer({ min: 0, max: 5 })), { maxLength: 20 });
  fc.assert(
    fc.property(rows, provider, model, fc.integer({ min: 0, max: 5 }), (list, seller, name, at) => {
      const all = list.map(([who, what, from]) => row(who, what, from));
      const sellers = ["operator", seller, ...(seller === "azure" ? ["openai"] : [])];
      const expected = sellers.flatMap((who) =>
        namesToTry(name).flatMap((what) =>
          all
            .filter((one) => one.provider === who && one.model === what && one.from <= at)
            .sort((x, y) => y.from - x.from),
        ),
      )[0];
      expect(createPriceBook(all, "test").find(seller, name, at)?.id).toBe(expected?.id);
    }),
  );
});
