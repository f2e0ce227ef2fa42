import { formatUsd, pico } from "../../core/money.ts";
import type { UsageSample } from "../../ports.ts";
import type { Accuracy, EstimationRow, LeakRow, SampleFilter } from "../../ports-console.ts";
import type { Page } from "../../ports-reports.ts";
import { type AdminRoute, list } from "../route.ts";
import { estimation, estimationQuery, leak, usageSample } from "../schemas/estimation.ts";
import { periodOf } from "./requests.ts";

const tag = "Reports";

export const estimationRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/reports/estimation", tag, role: "viewer" },
      summary:
        "How good estimates are: of sampled requests with the vendor's usage, what the tokenizer and what characters ÷ 4 make of them, by deployment and kind.",
      ...{ params: null, query: estimationQuery, item: estimation },
    },
    async ({ query, ports }, page) =>
      groupsAfter((await ports.reports.estimation(filterOf(query))).map(presentEstimation), page),
  ),
  list(
    {
      ...{ path: "/reports/leak", tag, role: "viewer" },
      summary:
        "What counting with the tokenizer, with characters ÷ 4 or with characters ÷ 1.67 would have billed for the sampled requests, against what was billed.",
      ...{ params: null, query: estimationQuery, item: leak },
    },
    async ({ query, ports }, page) =>
      groupsAfter((await ports.reports.leak(filterOf(query))).map(presentLeak), page),
  ),
  list(
    {
      ...{ path: "/reports/estimation/samples", tag, role: "viewer" },
      summary:
        "The sampled requests themselves, newest first: the vendor's tokens and what was estimated for them.",
      ...{ params: null, query: estimationQuery, item: usageSample },
    },
    async ({ query, ports }, page) =>
      (await ports.reports.samples(filterOf(query), page)).map((one) => ({
        value: presentSample(one),
        cursor: one.requestId,
      })),
  ),
];

const filterOf = (query: {
  readonly from?: string;
  readonly to?: string;
  readonly endpoint?: string;
}): SampleFilter => ({
  ...periodOf(query),
  endpoint: query.endpoint ?? null,
});

interface Grouped {
  readonly endpoint: string;
  readonly deployment: string;
  readonly model: string;
  readonly kind: string;
}

/** Groups are few and come in one order: a page is cut out of all of them. */
function groupsAfter<T extends Grouped>(
  groups: readonly T[],
  { after, limit }: Page,
): { value: T; cursor: string }[] {
  const cursors = groups.map((value) => ({
    value,
    cursor: JSON.stringify([value.endpoint, value.deployment, value.model, value.kind]),
  }));
  const start = after === null ? 0 : cursors.findIndex((row) => row.cursor === after) + 1;
  return cursors.slice(start, start + limit);
}

const presentGroup = ({ endpoint, deployment, model, kind, requests }: EstimationRow | LeakRow) => ({
  ...{ endpoint, deployment, model, kind, requests },
});

const presentEstimation = (row: EstimationRow) => ({
  ...presentGroup(row),
  vendor: row.vendor,
  tokenizer: { input: presentAccuracy(row.tokenizer.input), output: presentAccuracy(row.tokenizer.output) },
  characters: {
    input: presentAccuracy(row.characters.input),
    output: presentAccuracy(row.characters.output),
  },
});

const presentAccuracy = ({ tokens, exact, errorP50, errorP95 }: Accuracy) => ({
  ...{ tokens, exact },
  error_p50_percent: tenths(errorP50),
  error_p95_percent: tenths(errorP95),
});

const tenths = (percent: number | null): number | null =>
  percent === null ? null : Math.round(percent * 10) / 10;

const presentLeak = (row: LeakRow) => ({
  ...presentGroup(row),
  billed_usd: formatUsd(row.billed),
  tokenizer_usd: formatUsd(row.tokenizer),
  characters_usd: formatUsd(row.characters),
  characters_167_usd: formatUsd(row.denseCharacters),
  billed_tokens: row.tokens.billed,
  tokenizer_tokens: row.tokens.tokenizer,
  characters_tokens: row.tokens.characters,
  characters_167_tokens: row.tokens.denseCharacters,
  tokenizer_missing_usd: formatUsd(pico(row.billed - row.tokenizer)),
  characters_missing_usd: formatUsd(pico(row.billed - row.characters)),
  characters_167_missing_usd: formatUsd(pico(row.billed - row.denseCharacters)),
});

const presentSample = (sample: UsageSample) => ({
  request_id: sample.requestId,
  endpoint: sample.endpoint,
  deployment: sample.deployment,
  model: sample.model,
  kind: sample.kind,
  vendor_input: sample.input,
  vendor_output: sample.output,
  reasoning: sample.reasoning,
  estimated_input: sample.estimatedInput,
  estimated_output: sample.estimatedOutput,
  input_characters: sample.inputCharacters,
  output_characters: sample.outputCharacters,
});
