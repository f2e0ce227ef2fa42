import type { ProbeReport, ReportCall } from "./report-schema.ts";
import { probeSchema } from "./report-schema.ts";

/** What differs between two reports, in sentences; times and costs are left out, because they always do. */
export interface ProbeChanges {
  readonly since: string;
  readonly lines: readonly string[];
}

/** Reads a report that was written with `--json`, or says why it cannot be. */
export function readReport(text: string): { ok: true; report: ProbeReport } | { ok: false; reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: "it is no JSON; give a file written by `tollgate probe --json`" };
  }
  const schema = typeof value === "object" && value !== null && "schema" in value ? value.schema : undefined;
  if (schema !== probeSchema)
    return { ok: false, reason: `its schema is ${JSON.stringify(schema) ?? "missing"}, not ${probeSchema}` };
  const lists = ["calls", "findings", "parameters", "lessons"];
  const missing = lists.find((name) => !Array.isArray((value as Record<string, unknown>)[name]));
  if (missing !== undefined) return { ok: false, reason: `it has no list \`${missing}\`` };
  return { ok: true, report: value as ProbeReport };
}

export function compareReports(before: ProbeReport, after: ProbeReport): ProbeChanges {
  return {
    since: before.at,
    lines: [
      ...environmentChanges(before, after),
      ...findingChanges(before, after),
      ...parameterChanges(before, after),
      ...after.calls.flatMap((call) =>
        callChanges(
          before.calls.find(({ id }) => id === call.id),
          call,
        ),
      ),
      ...overheadChange(before, after),
    ],
  };
}

const environmentFields = [
  "kind",
  "base_url",
  "deployment",
  "model",
  "model_served",
  "api_version",
  "limit_parameter",
  "tokenizer",
  "price_row",
] as const;

function environmentChanges(before: ProbeReport, after: ProbeReport): readonly string[] {
  return environmentFields.flatMap((name) =>
    difference(`environment ${name}`, before.environment[name], after.environment[name]),
  );
}

function findingChanges(before: ProbeReport, after: ProbeReport): readonly string[] {
  const known = new Set(before.findings.map(({ id }) => id));
  const now = new Set(after.findings.map(({ id }) => id));
  return [
    ...after.findings
      .filter(({ id }) => !known.has(id))
      .map(({ id, title }) => `new finding ${id}: ${title}`),
    ...before.findings
      .filter(({ id }) => !now.has(id))
      .map(({ id, title }) => `no longer found ${id}: ${title}`),
  ];
}

function parameterChanges(before: ProbeReport, after: ProbeReport): readonly string[] {
  return after.parameters.flatMap(({ parameter, outcome }) => {
    const earlier = before.parameters.find((one) => one.parameter === parameter)?.outcome;
    if (earlier === "not_run" || outcome === "not_run") return [];
    return difference(`parameter ${parameter}`, earlier, outcome);
  });
}

function callChanges(before: ReportCall | undefined, after: ReportCall): readonly string[] {
  if (before === undefined) return [];
  return [
    ...difference(`${after.id} status`, before.status, after.status),
    ...difference(`${after.id} usage`, before.usage_state, after.usage_state),
    ...difference(`${after.id} prompt tokens`, before.usage?.input, after.usage?.input),
    ...difference(`${after.id} output tokens`, before.usage?.output, after.usage?.output),
    ...difference(`${after.id} chunks`, before.stream?.chunks, after.stream?.chunks),
    ...difference(`${after.id} finish_reason`, before.finish_reason, after.finish_reason),
    ...difference(`${after.id} service tier`, before.service_tier, after.service_tier),
  ];
}

const overheadChange = (before: ProbeReport, after: ProbeReport): readonly string[] =>
  difference("prompt overhead", before.prompt_overhead?.tokens, after.prompt_overhead.tokens);

function difference(what: string, before: unknown, after: unknown): readonly string[] {
  return (before ?? null) === (after ?? null)
    ? []
    : [`${what}: ${before ?? "none"} before, ${after ?? "none"} now`];
}
