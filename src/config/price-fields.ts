import { Type } from "typebox";
import { positiveDecimal, section, strict, text, whole } from "./fields.ts";

const usdPerMillion = (what: string) =>
  Type.Optional(
    text(`Price of ${what}, in USD per million tokens, as decimal text with at most 6 decimals.`, {
      pattern: positiveDecimal,
      expects: 'decimal text like "0.25"',
    }),
  );
const usdPerUse = (what: string) =>
  Type.Optional(
    text(`Fee for ${what}, in USD, as decimal text with at most 12 decimals.`, {
      pattern: positiveDecimal,
      expects: 'decimal text like "0.01"',
    }),
  );

const tokenPrices = {
  input: usdPerMillion("input"),
  cached_input: usdPerMillion("input that the vendor took from its cache"),
  cache_write: usdPerMillion("input that the vendor wrote to its cache"),
  audio_input: usdPerMillion("audio input"),
  cached_audio_input: usdPerMillion("audio input from the cache"),
  image_input: usdPerMillion("image input"),
  output: usdPerMillion("output, reasoning included"),
  audio_output: usdPerMillion("audio output"),
};
const priceTiers = Type.Optional(
  Type.Array(
    strict("Prices of the whole request when its input is larger than a bound.", {
      above_input_tokens: whole(1, 1_000_000_000, "They apply when the input is more than this many tokens."),
      ...tokenPrices,
    }),
    { maxItems: 20, description: "Other prices for requests with a large input, ascending." },
  ),
);
/** One price as the operator writes it; `price-entry.ts` checks what one field alone cannot show. */
export const price = strict("List prices of one model from one instant on.", {
  model: text("The underlying model."),
  from: Type.Optional(
    text("Instant from which the prices hold, RFC 3339 in UTC. Without it they have always held.", {
      pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,3})?Z$",
      expects: 'a time in UTC like "2026-01-01T00:00:00Z"',
    }),
  ),
  ...tokenPrices,
  tiers: priceTiers,
  service_tiers: Type.Record(
    Type.String(),
    strict("Prices of one service tier.", { ...tokenPrices, tiers: priceTiers }),
    { default: {}, description: "Prices of other service tiers (`flex`, `priority`, `batch`), by name." },
  ),
  fees: section("Fees that are not per token.", {
    web_search: usdPerUse("one web search call"),
    file_search: usdPerUse("one file search call"),
    code_interpreter: usdPerUse("one code interpreter session"),
  }),
  context_window: Type.Optional(whole(1, 1_000_000_000, "Input and output together, in tokens.")),
  max_input_tokens: Type.Optional(whole(1, 1_000_000_000, "Largest input, in tokens.")),
  max_output_tokens: Type.Optional(whole(1, 1_000_000_000, "Largest output, in tokens.")),
});
