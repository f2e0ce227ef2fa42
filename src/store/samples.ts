import type { Samples, UsageSample } from "../ports.ts";
import { type Queryable, sql } from "./db.ts";

/** One statement for many samples. A request keeps its estimate beside the vendor's usage. */
const insertSamples = sql`
  with given as materialized (
    select * from json_to_recordset($1::json) as s (request_id text, endpoint text, deployment text, model text, kind text,
      input bigint, output bigint, reasoning bigint, estimated_input bigint, estimated_output bigint, input_characters bigint,
      output_characters bigint, input_price numeric, output_price numeric)
  ), kept as (
    insert into usage_samples (request_id, endpoint, deployment, model, kind, input, output, reasoning, estimated_input,
      estimated_output, input_characters, output_characters, input_price, output_price)
    select * from given on conflict do nothing
  )
  update requests r set record = jsonb_set(r.record::jsonb, '{estimate}',
    jsonb_build_object('input', g.estimated_input, 'output', g.estimated_output))::json
  from given g where r.id = g.request_id`;

/** Samples wait this long for others to be written with, ms. */
const gatherMs = 200;
const maxGathered = 500;

/** Estimates that were made beside the vendor's usage; written together, so that traffic does not feel them. */
export function createSamples(db: Queryable): Samples {
  let gathered: UsageSample[] = [];
  let writing: Promise<void> | null = null;
  const write = async (): Promise<void> => {
    await new Promise<void>((resolve) => setTimeout(resolve, gatherMs).unref());
    writing = null;
    const samples = gathered;
    gathered = [];
    await db.query(insertSamples, [JSON.stringify(samples.map(toRow))]);
  };
  return {
    keep(sample) {
      // Statistics: under more load than can be written, some are left out.
      if (gathered.length >= maxGathered) return Promise.resolve();
      gathered.push(sample);
      writing ??= write();
      return writing;
    },
  };
}

const toRow = (sample: UsageSample): Record<string, unknown> => ({
  request_id: sample.requestId,
  endpoint: sample.endpoint,
  deployment: sample.deployment,
  model: sample.model,
  kind: sample.kind,
  input: sample.input,
  output: sample.output,
  reasoning: sample.reasoning,
  estimated_input: sample.estimatedInput,
  estimated_output: sample.estimatedOutput,
  input_characters: sample.inputCharacters,
  output_characters: sample.outputCharacters,
  input_price: sample.inputPrice?.toString() ?? null,
  output_price: sample.outputPrice?.toString() ?? null,
});
