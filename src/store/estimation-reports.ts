import type { UsageSample } from "../ports.ts";
import type {
  Accuracy,
  EstimationReports,
  EstimationRow,
  LeakRow,
  SampleFilter,
  SampleGroup,
} from "../ports-console.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, amountOrNull } from "./rows.ts";

/**
 * Characters ÷ 4, rounded up, is what many count by. An answer without tokens has no error. Errors are whole tenths of a
 * percent, which sort fast and are what is shown.
 */
const selectEstimation = sql`
  with samples as (
    select endpoint, deployment, model, kind, input, output, reasoning, estimated_input as token_input, estimated_output as token_output,
      (input_characters + 3) / 4 as character_input, (output_characters + 3) / 4 as character_output
    from usage_samples
    where ($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)
      and ($3::text is null or endpoint = $3)
  ), errors as materialized (
    select *, round(abs(token_input - input) * 1000.0::float8 / nullif(input, 0))::bigint as token_input_error,
      round(abs(token_output - output) * 1000.0::float8 / nullif(output, 0))::bigint as token_output_error,
      round(abs(character_input - input) * 1000.0::float8 / nullif(input, 0))::bigint as character_input_error,
      round(abs(character_output - output) * 1000.0::float8 / nullif(output, 0))::bigint as character_output_error
    from samples
  )
  select endpoint, deployment, model, kind, count(*) as requests, sum(input)::bigint as input, sum(output)::bigint as output,
    sum(reasoning)::bigint as reasoning, sum(token_input)::bigint as token_input, sum(token_output)::bigint as token_output,
    sum(character_input)::bigint as character_input, sum(character_output)::bigint as character_output,
    count(*) filter (where token_input = input) as token_input_exact, count(*) filter (where token_output = output) as token_output_exact,
    count(*) filter (where character_input = input) as character_input_exact,
    count(*) filter (where character_output = output) as character_output_exact,
    percentile_disc(array[0.5, 0.95]) within group (order by token_input_error)::float8[] as token_input_error,
    percentile_disc(array[0.5, 0.95]) within group (order by token_output_error)::float8[] as token_output_error,
    percentile_disc(array[0.5, 0.95]) within group (order by character_input_error)::float8[] as character_input_error,
    percentile_disc(array[0.5, 0.95]) within group (order by character_output_error)::float8[] as character_output_error
  from errors group by endpoint, deployment, model, kind order by endpoint, deployment, model, kind limit 1000`;
/**
 * Requests without a plain price of both kinds cannot be compared and are left out. 4 and 1.67 characters per token, rounded
 * up, are the two rules of thumb that people bill by. Tokens are summed by price before they are multiplied: prices are few.
 */
const selectLeak = sql`
  with samples as (
    select endpoint, deployment, model, kind, input_price, output_price, count(*) as requests, sum(input) as input, sum(output) as output,
      sum(estimated_input) as token_input, sum(estimated_output) as token_output,
      sum((input_characters + 3) / 4) as quarter_input, sum((output_characters + 3) / 4) as quarter_output,
      sum((input_characters * 100 + 166) / 167) as dense_input, sum((output_characters * 100 + 166) / 167) as dense_output
    from usage_samples
    where ($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)
      and ($3::text is null or endpoint = $3) and input_price is not null and output_price is not null
    group by endpoint, deployment, model, kind, input_price, output_price
  )
  select endpoint, deployment, model, kind, sum(requests)::bigint as requests,
    sum(input * input_price + output * output_price)::text as billed,
    sum(token_input * input_price + token_output * output_price)::text as tokenizer,
    sum(quarter_input * input_price + quarter_output * output_price)::text as characters,
    sum(dense_input * input_price + dense_output * output_price)::text as dense_characters,
    sum(input + output)::bigint as billed_tokens, sum(token_input + token_output)::bigint as tokenizer_tokens,
    sum(quarter_input + quarter_output)::bigint as characters_tokens, sum(dense_input + dense_output)::bigint as dense_characters_tokens
  from samples
  group by endpoint, deployment, model, kind order by endpoint, deployment, model, kind limit 1000`;
const selectSamples = sql`
  select request_id, endpoint, deployment, model, kind, input, output, reasoning, estimated_input, estimated_output, input_characters,
    output_characters, input_price::text as input_price, output_price::text as output_price
  from usage_samples
  where ($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)
    and ($3::text is null or endpoint = $3) and ($4::text is null or request_id < $4)
  order by request_id desc limit $5`;

interface GroupRow {
  readonly endpoint: string;
  readonly deployment: string;
  readonly model: string;
  readonly kind: UsageSample["kind"];
  readonly requests: number;
}
type Counted = "token_input" | "token_output" | "character_input" | "character_output";
type EstimationSums = Readonly<Record<Counted | `${Counted}_exact`, number>> &
  Readonly<Record<`${Counted}_error`, readonly (number | null)[] | null>>;
interface EstimationSqlRow extends GroupRow {
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
}
interface SampleRow extends GroupRow {
  readonly request_id: string;
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly estimated_input: number;
  readonly estimated_output: number;
  readonly input_characters: number;
  readonly output_characters: number;
  readonly input_price: string | null;
  readonly output_price: string | null;
}
type Way = "billed" | "tokenizer" | "characters" | "dense_characters";
type LeakSqlRow = GroupRow & Readonly<Record<Way, string> & Record<`${Way}_tokens`, number>>;

export function createEstimationReports(db: Queryable): EstimationReports {
  const values = ({ from, to, endpoint }: SampleFilter): unknown[] => [from, to, endpoint];
  return {
    async estimation(filter) {
      const rows = await db.query<EstimationSqlRow & EstimationSums>(selectEstimation, values(filter));
      return rows.map(
        (row): EstimationRow => ({
          ...groupOf(row),
          vendor: { input: row.input, output: row.output, reasoning: row.reasoning },
          tokenizer: { input: accuracyOf(row, "token_input"), output: accuracyOf(row, "token_output") },
          characters: {
            input: accuracyOf(row, "character_input"),
            output: accuracyOf(row, "character_output"),
          },
        }),
      );
    },
    async leak(filter) {
      const rows = await db.query<LeakSqlRow>(selectLeak, values(filter));
      return rows.map(
        (row): LeakRow => ({
          ...groupOf(row),
          billed: amountFromText(row.billed),
          tokenizer: amountFromText(row.tokenizer),
          characters: amountFromText(row.characters),
          denseCharacters: amountFromText(row.dense_characters),
          tokens: {
            billed: row.billed_tokens,
            tokenizer: row.tokenizer_tokens,
            characters: row.characters_tokens,
            denseCharacters: row.dense_characters_tokens,
          },
        }),
      );
    },
    async samples(filter, { after, limit }) {
      return (await db.query<SampleRow>(selectSamples, [...values(filter), after, limit])).map(sampleFromRow);
    },
  };
}

const groupOf = ({ endpoint, deployment, model, kind, requests }: GroupRow): SampleGroup => ({
  ...{ endpoint, deployment, model, kind, requests },
});

function accuracyOf(row: EstimationSums, counted: Counted): Accuracy {
  const [p50 = null, p95 = null] = row[`${counted}_error`] ?? [];
  const percent = (permille: number | null): number | null => (permille === null ? null : permille / 10);
  return {
    tokens: row[counted],
    exact: row[`${counted}_exact`],
    errorP50: percent(p50),
    errorP95: percent(p95),
  };
}

const sampleFromRow = (row: SampleRow): UsageSample => ({
  requestId: row.request_id,
  endpoint: row.endpoint,
  deployment: row.deployment,
  model: row.model,
  kind: row.kind,
  input: row.input,
  output: row.output,
  reasoning: row.reasoning,
  estimatedInput: row.estimated_input,
  estimatedOutput: row.estimated_output,
  inputCharacters: row.input_characters,
  outputCharacters: row.output_characters,
  inputPrice: amountOrNull(row.input_price),
  outputPrice: amountOrNull(row.output_price),
});
