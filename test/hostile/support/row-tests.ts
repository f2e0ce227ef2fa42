import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../", import.meta.url);

/** A test that is named after a row, as it stands in its file. */
export interface RowTest {
  readonly row: number;
  /** Under test/hostile/. */
  readonly file: string;
  /** What stands after `row N:`; places of a table of cases are shown as "…". */
  readonly title: string;
}

/** Every test under test/hostile/ that is named after a row, in the order of the files and of their lines. */
export function findRowTests(): readonly RowTest[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".test.ts"))
    .sort()
    .flatMap((file) =>
      titlesIn(readFileSync(new URL(file, folder), "utf8")).map((one) => ({ ...one, file })),
    );
}

/** A title is the first thing that `test(…)`, `test.each(…)(…)` or `describe(…)` is given; a comment is none. */
function titlesIn(text: string): readonly { readonly row: number; readonly title: string }[] {
  return [...text.matchAll(/(?:\btest|\bdescribe|\))\(\s*(["'`])row (\d+): ((?:(?!\1).)+)\1,/g)].map(
    (match) => ({
      row: Number(match[2]),
      title: (match[3] ?? "").replaceAll(/%[sid]|\$\w+/g, "…"),
    }),
  );
}
