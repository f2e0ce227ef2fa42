/** A Markdown table with its columns aligned, so that it reads well in a terminal too. `right`: columns of numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const cells = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, index) => Math.max(3, ...cells.map((row) => lengthOf(row[index] ?? ""))));
  const lay = (row: readonly string[]): string =>
    `| ${widths.map((width, index) => pad(row[index] ?? "", width, right.includes(index))).join(" | ")} |`;
  const rule = `| ${widths.map((width, index) => (right.includes(index) ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  const [first, ...rest] = cells;
  return [lay(first ?? []), rule, ...rest.map(lay)].join("\n");
}

/** Text that cannot break out of its cell. */
const cell = (text: string): string => text.replace(/\p{Cc}+/gu, " ").replaceAll("|", "\\|");

const lengthOf = (text: string): number => [...text].length;

function pad(text: string, width: number, isRight: boolean): string {
  const gap = " ".repeat(width - lengthOf(text));
  return isRight ? gap + text : text + gap;
}

/** Inline code; backticks and control characters in the vendor's text cannot end it. */
export function code(text: string): string {
  const shown = text.replace(/\p{Cc}/gu, " ");
  const runs = [...shown.matchAll(/`+/g)].map(([run]) => run.length);
  const ticks = "`".repeat(Math.max(0, ...runs) + 1);
  const gap = shown.startsWith("`") || shown.endsWith("`") ? " " : "";
  return `${ticks}${gap}${shown}${gap}${ticks}`;
}

/** Text of a vendor in running words: on one line, without control characters and markup. */
export const plain = (text: string): string => text.replace(/\p{Cc}+/gu, " ").replace(/[<>]/g, "");

export const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");
