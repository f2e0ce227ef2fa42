import type { Lesson } from "../core/parameters.ts";
import type { ProbeChanges } from "./compare.ts";
import { severities } from "./findings/finding.ts";
import { bullets, code, plain } from "./markdown.ts";
import type { Section } from "./render-calls.ts";
import type { ProbeReport, ReportFinding } from "./report-schema.ts";

const headings = { high: "First", medium: "Then", low: "When there is time", info: "Good to know" } as const;

/** The findings in short, for the head of the report. */
export const renderOverview = (findings: readonly ReportFinding[]): string =>
  bullets(findings.map(({ id, severity, title }) => `${id} (${severity}) ${title}`));

/** Findings by priority, each with its evidence and what to do; then what the gateway can learn. */
export function renderRecommendations({ findings, lessons }: ProbeReport): Section {
  const groups = severities.flatMap((severity) => {
    const own = findings.filter((finding) => finding.severity === severity);
    return own.length === 0
      ? []
      : [`### ${headings[severity]} (${severity})\n\n${own.map(renderFinding).join("\n\n")}`];
  });
  const found = groups.length === 0 ? ["Nothing to do."] : groups;
  return { title: "Recommendations by priority", text: [...found, renderLessons(lessons)].join("\n\n") };
}

function renderFinding({ id, title, meaning, advice, evidence, more }: ReportFinding): string {
  const lines = evidence.flatMap(({ call, shows, quote }) => {
    const where = call === null ? "" : `${call}: `;
    return [`  - ${where}${plain(shows)}`, ...(quote === null ? [] : [`    ${code(quote)}`])];
  });
  const rest = more === 0 ? [] : [`  - and ${more} more`];
  return [`- **${id} ${title}.** ${meaning}`, `  **Do:** ${advice}`, ...lines, ...rest].join("\n");
}

function renderLessons(lessons: readonly Lesson[]): string {
  if (lessons.length === 0) return "Nothing here changes what the gateway does.";
  return `### What the gateway can learn\n\n${bullets(lessons.map(showLesson))}\n\nWith --save it uses this at once.`;
}

export function showLesson(lesson: Lesson): string {
  switch (lesson.kind) {
    case "rename":
      return `send ${code(lesson.parameter)} as ${code(lesson.to)}`;
    case "drop":
      return `leave ${code(lesson.parameter)} out unless it is the default`;
    case "no_stream_options":
      return `leave ${code("stream_options")} out`;
    case "stream_options":
      return "ask for usage in streams";
    case "input_overhead":
      return lesson.tokens === 0
        ? "the tokenizer's count of a prompt is exact as it is"
        : `add ${lesson.tokens} to the tokenizer's count of a prompt`;
  }
}

/** What changed since an earlier report of the same deployment. */
export function renderChanges({ since, lines }: ProbeChanges): string {
  return `## Changes since ${since}\n\n${lines.length === 0 ? "None." : bullets(lines.map(plain))}`;
}
