import Type from "typebox";
import { probeSchema } from "../../probe/report-schema.ts";
import { filter, nullableText, oneOf, orNull, strict, text, time, tokens, usd } from "./shared.ts";

export const probeAsk = Type.Object(
  {
    deployment: Type.Optional({
      ...filter,
      description: "Needed where the endpoint has several.",
    }),
    save: Type.Optional(
      Type.Boolean({ description: "Learn what is found: the next request goes by it. False unless given." }),
    ),
    max_cost_usd: Type.Optional(
      Type.String({
        maxLength: 30,
        description: 'USD that all calls together may cost at most, above 0, up to 10: "0.05" unless given.',
        examples: ["0.05"],
      }),
    ),
    volume: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 999_999_999_999,
        description: "Requests that the report's `money` multiplies by; 1000000 unless given.",
      }),
    ),
  },
  { ...strict, title: "ProbeAsk" },
);

const anything = Type.Array(Type.Unknown());

/** The report's outline; what is inside its parts is the schema that its `schema` names. */
export const probeReport = Type.Object(
  {
    schema: oneOf([probeSchema]),
    at: time,
    duration_ms: tokens,
    environment: Type.Unknown({ description: "What was probed: endpoint, deployment, model, versions." }),
    cost: Type.Object(
      {
        known_usd: { ...usd, description: "By the vendor's own usage; booked in the ledger." },
        at_most_usd: orNull({
          ...usd,
          description: "What calls without usage may have cost besides, at most. Null without a price.",
        }),
        max_usd: usd,
        calls: tokens,
        refused: tokens,
        without_usage: tokens,
      },
      strict,
    ),
    calls: anything,
    skipped: Type.Array(text),
    parameters: anything,
    errors: anything,
    accuracy: anything,
    prompt_overhead: Type.Object({ tokens: orNull(Type.Integer()), samples: tokens }, strict),
    latency: Type.Unknown(),
    money: Type.Unknown({ description: "What miscounting would cost; null when no price is known." }),
    findings: Type.Array(
      Type.Object(
        {
          id: text,
          name: text,
          severity: text,
          title: text,
          meaning: text,
          advice: text,
          evidence: Type.Array(Type.Object({ call: nullableText, shows: text, quote: nullableText }, strict)),
          more: tokens,
        },
        strict,
      ),
    ),
    lessons: Type.Array(Type.Unknown(), { description: "What a gateway can go by." }),
  },
  { ...strict, title: "ProbeReport" },
);
