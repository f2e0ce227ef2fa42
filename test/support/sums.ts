/** Exact sums of what an API or a CSV file says, done apart from the code that is tested. */

/** Exact sum of decimal texts. */
export function sumOf(texts: readonly string[]): string {
  const scale = 18;
  const total = texts.reduce((all, text) => {
    const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
    const units = BigInt(whole + fraction.padEnd(scale, "0"));
    return all + (text.startsWith("-") ? -units : units);
  }, 0n);
  const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(-scale).replace(/0+$/, "");
  return `${total < 0n ? "-" : ""}${digits.slice(0, -scale)}${fraction === "" ? "" : `.${fraction}`}`;
}

export const negate = (text: string): string => (text.startsWith("-") ? text.slice(1) : `-${text}`);

/** One column of a CSV, without its head; an empty cell is 0. */
export function columnOf(csv: string, name: string): string[] {
  const lines = csv.trimEnd().split("\r\n").map(cellsOf);
  const index = lines[0]?.indexOf(name) ?? -1;
  return lines.slice(1).map((cells) => (cells[index] === "" ? "0" : (cells[index] ?? "missing")));
}

/** Lists inside cells are quoted, so cells are read one by one. */
const cellsOf = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map((match) => match[1] ?? match[2] ?? "");
