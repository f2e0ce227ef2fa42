import type { Samples } from "../ports.ts";
import { type Queryable, sql } from "./db.ts";

const insertSample = sql`
  with kept as (
    insert into usage_samples (request_id, endpoint, deployment, model, kind, input, output, reasoning, estimated_input,
      estimated_output, input_characters, output_characters, input_price, output_price)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::numeric, $14::numeric)
    on conflict do nothing)
  update requests set record = jsonb_set(record::jsonb, '{estimate}', jsonb_build_object('input', $9::bigint, 'output', $10::bigint))::json where id = $1`;

/** Estimates that were made beside the vendor's usage. */
export function createSamples(db: Queryable): Samples {
  return {
    async keep(sample) {
      await db.query(insertSample, [
        sample.requestId,
        sample.endpoint,
        sample.deployment,
        sample.model,
        sample.kind,
        sample.input,
        sample.output,
        sample.reasoning,
        sample.estimatedInput,
        sample.estimatedOutput,
        sample.inputCharacters,
        sample.outputCharacters,
        sample.inputPrice?.toString() ?? null,
        sample.outputPrice?.toString() ?? null,
      ]);
    },
  };
}
