import { describe, expect, test } from "vitest";
import { operatorRow, type PriceEntry, PriceEntryError } from "./price-entry.ts";

const tuned: PriceEntry = {
  model: "my-tuned",
  from: "2026-01-01T00:00:00Z",
  input: "0.25",
  cached_input: "0.025",
  output: "2.00",
  context_window: 400_000,
  max_output_tokens: 128_000,
};

describe("operatorRow()", () => {
  test("reads an entry exactly", () => {
    const entry: PriceEntry = {
      ...tuned,
      tiers: [{ above_input_tokens: 272_000, input: "0.5", cached_input: "0.05", output: "3" }],
      service_tiers: { flex: { input: "0.125", output: "1" } },
      fees: { web_search: "0.01" },
      max_input_tokens: 272_000,
    };
    const fee = { web_search: 10_000_000_000n };
    expect(operatorRow(entry)).toEqual({
      id: "operator/my-tuned@2026-01-01T00:00:00Z",
      provider: "operator",
      model: "my-tuned",
      from: Date.UTC(2026, 0, 1),
      tiers: [
        {
          aboveInputTokens: 0,
          prices: { ...fee, input: 250_000n, cached_input: 25_000n, output: 2_000_000n },
        },
        {
          aboveInputTokens: 272_000,
          prices: { ...fee, input: 500_000n, cached_input: 50_000n, output: 3_000_000n },
        },
      ],
      serviceTiers: {
        flex: [{ aboveInputTokens: 0, prices: { ...fee, input: 125_000n, output: 1_000_000n } }],
      },
      contextWindow: 400_000,
      maxInputTokens: 272_000,
      maxOutputTokens: 128_000,
      origin: "config",
    });
  });

  test("takes what is not said as since ever and unknown, and a price of 0 as free", () => {
    const row = operatorRow({ model: "local", input: "0" }, "admin");
    expect(row).toMatchObject({
      from: 0,
      contextWindow: null,
      maxOutputTokens: null,
      origin: "admin",
      serviceTiers: {},
    });
    expect(row.tiers).toEqual([{ aboveInputTokens: 0, prices: { input: 0n } }]);
  });

  const broken = (change: object): PriceEntry => ({ ...tuned, ...change }) as PriceEntry;
  test.each([
    ["input", broken({ input: undefined }), 'it is missing; give a price, or "0" if it is free'],
    [
      "input",
      broken({ input: "0.25x" }),
      '"0.25x" is not an exact price; write it as decimal text like "0.25"',
    ],
    ["input", broken({ input: 0.25 }), '0.25 is not an exact price; write it as decimal text like "0.25"'],
    [
      "output",
      broken({ output: "0.1234567" }),
      '"0.1234567" is not an exact price; write it as decimal text like "0.25"',
    ],
    [
      "output",
      broken({ output: "1e3" }),
      '"1e3" is not an exact price; write it as decimal text like "0.25"',
    ],
    ["cached_input", broken({ cached_input: "-1" }), '"-1" is negative; write 0 or more'],
    [
      "fees.web_search",
      broken({ fees: { web_search: "ten" } }),
      '"ten" is not an exact price; write it as decimal text like "0.25"',
    ],
    [
      "from",
      broken({ from: "2026-01-01" }),
      '"2026-01-01" is not an instant; write UTC like "2026-01-01T00:00:00Z"',
    ],
    [
      "from",
      broken({ from: "2026-02-30T00:00:00Z" }),
      '"2026-02-30T00:00:00Z" is not an instant; write UTC like "2026-01-01T00:00:00Z"',
    ],
    ["max_output_tokens", broken({ max_output_tokens: 0 }), "0 is not a whole number above 0; write tokens"],
    ["context_window", broken({ context_window: 1.5 }), "1.5 is not a whole number above 0; write tokens"],
    [
      "tiers[0].above_input_tokens",
      broken({ tiers: [{ above_input_tokens: 0, input: "1", cached_input: "1", output: "1" }] }),
      "0 is not a whole number above 0; order tiers from the smallest bound up",
    ],
    [
      "tiers[0].cached_input",
      broken({ tiers: [{ above_input_tokens: 9, input: "1", output: "1" }] }),
      "price the same kinds in every tier of a list",
    ],
    [
      "service_tiers.flex.output",
      broken({ service_tiers: { flex: { input: "1" } } }),
      "it is missing; give the price of output in every service tier",
    ],
    [
      "service_tiers.flex.tiers[0].input",
      broken({
        service_tiers: {
          flex: { input: "1", output: "1", tiers: [{ above_input_tokens: 9, input: "?", output: "1" }] },
        },
      }),
      '"?" is not an exact price; write it as decimal text like "0.25"',
    ],
  ])("refuses a bad %s by name", (field, entry, fault) => {
    const error = (() => {
      try {
        return operatorRow(entry);
      } catch (caught) {
        return caught;
      }
    })();
    expect(error).toBeInstanceOf(PriceEntryError);
    expect(error).toMatchObject({
      field,
      message: `Cannot read ${field} of the price of my-tuned: ${fault}.`,
    });
  });

  test("refuses an entry without a model", () => {
    expect(() => operatorRow({ model: "", input: "1" })).toThrow("Cannot read model of the price of a model");
  });
});
