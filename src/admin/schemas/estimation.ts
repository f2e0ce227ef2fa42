import Type from "typebox";
import { filter, id, nullableNumber, oneOf, period, strict, text, tokens, usd } from "./shared.ts";

const accuracy = Type.Object(
  {
    tokens: Type.Integer({ description: "Of all requests together, as this estimator counts them." }),
    exact: Type.Integer({ description: "Requests whose count it hit exactly." }),
    error_p50_percent: {
      ...nullableNumber,
      description: "Half of the requests are no further from the vendor's count.",
    },
    error_p95_percent: nullableNumber,
  },
  strict,
);
const estimator = Type.Object({ input: accuracy, output: accuracy }, strict);
const where = {
  endpoint: text,
  deployment: text,
  model: text,
  kind: oneOf(["plain", "reasoning", "tools", "media", "embeddings"], "What an estimate is good or bad at."),
  requests: Type.Integer({ description: "Sampled requests whose usage the vendor reported." }),
};
export const estimation = Type.Object(
  {
    ...where,
    vendor: Type.Object({ input: tokens, output: tokens, reasoning: tokens }, strict),
    tokenizer: estimator,
    characters: { ...estimator, description: "A quarter of the characters of the visible text." },
  },
  { ...strict, title: "Estimation" },
);
export const leak = Type.Object(
  {
    ...where,
    billed_usd: {
      ...usd,
      description:
        "The vendor's tokens at the plain prices of input and output; cache discounts are left out on all sides.",
    },
    tokenizer_usd: usd,
    characters_usd: usd,
    characters_167_usd: { ...usd, description: "At 1.67 characters per token, another rule of thumb." },
    billed_tokens: tokens,
    tokenizer_tokens: tokens,
    characters_tokens: tokens,
    characters_167_tokens: tokens,
    tokenizer_missing_usd: Type.String({
      description: "Billed less what the tokenizer would have billed; negative = too much.",
    }),
    characters_missing_usd: Type.String({
      description: "Billed less what characters ÷ 4 would have billed; negative = too much.",
    }),
    characters_167_missing_usd: Type.String({
      description: "Billed less what characters ÷ 1.67 would have billed; negative = too much.",
    }),
  },
  { ...strict, title: "Leak" },
);
export const usageSample = Type.Object(
  {
    request_id: id("req"),
    endpoint: text,
    deployment: text,
    model: text,
    kind: where.kind,
    vendor_input: tokens,
    vendor_output: tokens,
    reasoning: tokens,
    estimated_input: tokens,
    estimated_output: tokens,
    input_characters: tokens,
    output_characters: tokens,
  },
  { ...strict, title: "UsageSample" },
);
export const estimationQuery = { ...period, endpoint: Type.Optional(filter) };
