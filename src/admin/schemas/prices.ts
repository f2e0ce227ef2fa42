import Type from "typebox";
import { filter, line, nullableNumber, orNull, strict, time } from "./shared.ts";

const perMillion = Type.Optional(
  Type.String({ maxLength: 60, description: "USD per million tokens, exact decimal.", examples: ["0.25"] }),
);
const tokenPrices = {
  input: perMillion,
  cached_input: perMillion,
  cache_write: perMillion,
  audio_input: perMillion,
  cached_audio_input: perMillion,
  image_input: perMillion,
  output: perMillion,
  audio_output: perMillion,
};
const perUse = Type.Optional(Type.String({ maxLength: 60, description: "USD for each use, exact decimal." }));
const tiersIn = Type.Optional(
  Type.Array(Type.Object({ above_input_tokens: Type.Integer({ minimum: 1 }), ...tokenPrices }, strict), {
    maxItems: 20,
  }),
);
export const priceCreate = Type.Object(
  {
    model: line(200, "The model's name at the vendor."),
    from: Type.Optional(
      Type.String({
        format: "date-time",
        maxLength: 40,
        description: "In force from then on; now unless given.",
      }),
    ),
    ...tokenPrices,
    input: Type.String({
      maxLength: 60,
      description: "USD per million tokens, exact decimal.",
      examples: ["0.25"],
    }),
    tiers: tiersIn,
    service_tiers: Type.Optional(
      Type.Record(Type.String({ maxLength: 50 }), Type.Object({ ...tokenPrices, tiers: tiersIn }, strict), {
        maxProperties: 20,
      }),
    ),
    fees: Type.Optional(
      Type.Object({ web_search: perUse, file_search: perUse, code_interpreter: perUse }, strict),
    ),
    context_window: Type.Optional(Type.Integer({ minimum: 1 })),
    max_input_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
    max_output_tokens: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { ...strict, title: "PriceCreate" },
);
const priceTexts = Type.Record(Type.String(), Type.String(), {
  description: "By kind: USD per million tokens, exact decimal.",
});
const tiersOut = Type.Array(Type.Object({ above_input_tokens: Type.Integer(), prices: priceTexts }, strict));
export const price = Type.Object(
  {
    id: Type.String(),
    provider: Type.String(),
    model: Type.String(),
    from: orNull(time),
    prices: priceTexts,
    tiers: tiersOut,
    service_tiers: Type.Record(Type.String(), Type.Object({ prices: priceTexts, tiers: tiersOut }, strict)),
    fees: Type.Record(Type.String(), Type.String()),
    context_window: nullableNumber,
    max_input_tokens: nullableNumber,
    max_output_tokens: nullableNumber,
    origin: Type.String({ description: "Who says so." }),
  },
  { ...strict, title: "Price" },
);
export const priceQuery = { model: Type.Optional(filter), provider: Type.Optional(filter) };
