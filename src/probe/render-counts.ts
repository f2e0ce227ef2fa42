import { parseUsd } from "../core/money.ts";
import type { Basis, EstimateMethod } from "./accuracy.ts";
import { showError, showUsd } from "./figures.ts";
import { table } from "./markdown.ts";
import type { Section } from "./render-calls.ts";
import type { ProbeReport, ReportAccuracy } from "./report-schema.ts";

const methods: Readonly<Record<EstimateMethod | "vendor", string>> = {
  characters_4: "characters / 4",
  tokenizer: "tokenizer",
  vendor: "the vendor",
};

const bases: Readonly<Record<Basis, string>> = {
  own: "its own usage",
  same_request: "the same request with usage asked for",
  other_answer: "another answer to the same prompt",
};

export function renderAccuracy(report: ProbeReport): Section {
  const title = "Estimation accuracy by kind of token";
  if (report.accuracy.length === 0)
    return { title, text: "The vendor stated no usage that an estimate could be held against." };
  const rows = report.accuracy.map((row) => [
    row.call,
    methods[row.method],
    `${row.billed_by}: ${bases[row.basis]}`,
    showPart(row, "input"),
    showOutput(row),
    String(row.billed.reasoning),
    `${row.estimate.total}: ${showError(row.estimate.total, row.billed.total)}`,
  ]);
  const notes = [
    "Each percentage has the vendor's figure beside it as its base; that of `text` is the output without reasoning.",
    ...(report.accuracy.some(({ basis }) => basis === "other_answer")
      ? [
          "Rows against another answer compare two different answers, with different limits: that is how a comparison by hand comes to strange figures.",
        ]
      : []),
    ...reasoningNote(report),
    overheadNote(report),
  ];
  const head = ["answer", "counted by", "held against", "prompt", "text", "reasoning", "total"];
  return { title, text: `${table(head, rows, [5])}\n\n${notes.join("\n\n")}` };
}

/** The puzzle of a count that is far below the bill, put in one sentence with its figures. */
function reasoningNote({ accuracy }: ProbeReport): readonly string[] {
  const worst = accuracy.filter(({ method, billed }) => method === "tokenizer" && billed.reasoning > 0);
  const row = worst.find(({ basis }) => basis === "other_answer") ?? worst[0];
  if (row === undefined) return [];
  const { estimate, billed, call, billed_by: by } = row;
  return [
    `Why the tokenizer says ${estimate.total} for ${call} where ${by} was billed ${billed.total}: ${billed.reasoning} of them are reasoning, which nobody sees.`,
  ];
}

const showPart = (row: ReportAccuracy, kind: "input"): string =>
  `${row.estimate[kind]}: ${showError(row.estimate[kind], row.billed[kind])}`;

/** The text is held against the output without the reasoning, which is shown beside it. */
function showOutput({ estimate, billed }: ReportAccuracy): string {
  return `${estimate.output}: ${showError(estimate.output, billed.output - billed.reasoning)}`;
}

function overheadNote({ prompt_overhead: overhead, environment }: ProbeReport): string {
  const { tokens, samples } = overhead;
  if (tokens === null)
    return `The vendor's count of prompts does not differ by a constant from ${environment.tokenizer} (${samples} answers).`;
  if (tokens === 0)
    return `Prompts count exactly as by ${environment.tokenizer} and the published framing (${samples} answers).`;
  return `Every prompt counts ${tokens > 0 ? `${tokens} more` : `${-tokens} less`} than by ${environment.tokenizer} and the published framing (${samples} answers).`;
}

export function renderMoney({ money, environment }: ProbeReport): Section {
  const title = "What mis-metering costs";
  if (money === null)
    return { title, text: `No price is known for ${environment.model}; give one with --price to see this.` };
  if (money.cases.length === 0)
    return { title, text: "The vendor stated no usage that a bill could be compared with." };
  const volume = showCount(money.volume);
  const parts = money.cases.map(({ call, billed_by: by, basis, lines }) => {
    const rows = lines.map((line) => [
      methods[line.method],
      String(line.input),
      String(line.output),
      showUsd(parseUsd(line.each_usd)),
      showUsd(parseUsd(line.all_usd)),
      line.method === "vendor" ? "" : showMissing(line.missing_usd, line.missing_percent_of_billed),
    ]);
    const head = [
      "billed by",
      "prompt",
      "output",
      "each",
      `${volume} of them`,
      "not billed (base: the vendor's bill)",
    ];
    return `${call}, held against ${by} (${bases[basis]}), at ${environment.price_row}:\n\n${table(head, rows, [1, 2, 3, 4, 5])}`;
  });
  return { title, text: parts.join("\n\n") };
}

function showMissing(missing: string, percent: number | null): string {
  const amount = parseUsd(missing);
  const share = percent === null ? "" : ` (${Math.abs(percent)} %)`;
  if (amount === 0n) return "nothing";
  return amount > 0n
    ? `${showUsd(amount)}${share}`
    : `too much billed: ${showUsd(parseUsd(missing.slice(1)))}${share}`;
}

/** 1000000 → "1 000 000". */
const showCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, " ");
