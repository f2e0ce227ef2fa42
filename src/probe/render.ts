import { parseUsd, pico } from "../core/money.ts";
import type { ProbeChanges } from "./compare.ts";
import { showUsd } from "./figures.ts";
import {
  renderAnswers,
  renderEnvironment,
  renderErrors,
  renderMatrix,
  renderPlainStreams,
  renderUsageStreams,
} from "./render-calls.ts";
import { renderAccuracy, renderMoney } from "./render-counts.ts";
import { renderChanges, renderOverview, renderRecommendations } from "./render-findings.ts";
import type { ProbeReport, ReportFinding } from "./report-schema.ts";

/** A report as Markdown: readable in a terminal, and in an issue. Pure; the sections come in a fixed order. */
export function renderReport(report: ProbeReport, changes: ProbeChanges | null = null): string {
  const sections = [
    renderEnvironment(report),
    renderAnswers(report),
    renderPlainStreams(report),
    renderUsageStreams(report),
    renderMatrix(report),
    renderErrors(report),
    renderAccuracy(report),
    renderMoney(report),
    renderRecommendations(report),
  ];
  const numbered = sections.map(({ title, text }, index) => `## ${index + 1}. ${title}\n\n${text}`);
  const head = `# Probe of ${report.environment.deployment} at ${report.environment.base_url}\n\n${summary(report)}`;
  return `${[head, ...(changes === null ? [] : [renderChanges(changes)]), ...numbered].join("\n\n")}\n`;
}

function summary(report: ProbeReport): string {
  const { at, cost, findings, skipped } = report;
  const left =
    skipped.length === 0
      ? ""
      : ` ${skipped.length} more were left out to stay within the cost: ${skipped.join(", ")}.`;
  const seconds = (report.duration_ms / 1_000).toFixed(1);
  const overview = findings.length === 0 ? [] : [renderOverview(findings)];
  return [
    `**${verdict(findings)}**`,
    ...overview,
    `${at}, ${cost.calls} calls in ${seconds} s.${left}`,
    showCost(report),
  ].join("\n\n");
}

export function showCost({ cost }: ProbeReport): string {
  const bound = showUsd(parseUsd(cost.max_usd));
  if (cost.at_most_usd === null)
    return "Cost: not known, because no price is known; the bound on it could not be kept either.";
  const known = parseUsd(cost.known_usd);
  const most = parseUsd(cost.at_most_usd);
  const sure = `${showUsd(known)} by the vendor's usage`;
  if (most === 0n) return `Cost: ${sure} (allowed: ${bound}).`;
  const calls =
    cost.without_usage === 1 ? "1 call that stated none" : `${cost.without_usage} calls that stated none`;
  return `Cost: ${sure}, and at most ${showUsd(most)} for ${calls}: ${showUsd(pico(known + most))} at most (allowed: ${bound}).`;
}

export function verdict(findings: readonly ReportFinding[]): string {
  const [worst] = findings;
  if (worst === undefined) return "Nothing was found: usage is exact, streamed and not.";
  const count = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
  return `${count}. The worst, ${worst.id} (${worst.severity}): ${worst.title}.`;
}
