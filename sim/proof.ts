/** `npm run proof -- --requests N --kills K --processes P --store postgres|pglite --seed S --json` */
import { readOptions, usage } from "./proof/options.ts";
import { isClean, renderReport } from "./proof/report.ts";
import { runProof } from "./proof/run.ts";

export async function main(args: string[]): Promise<number> {
  const read = readOptions(args);
  if (read === null) {
    process.stdout.write(usage);
    return 0;
  }
  const interruption = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interruption.abort());
  const begun = performance.now();
  const progress = (text: string): void =>
    void process.stderr.write(`${((performance.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${text}\n`);
  const result = await runProof(read.options, progress, interruption.signal);
  const shown = (_: string, value: unknown): unknown =>
    typeof value === "bigint" ? value.toString() : value;
  process.stdout.write(read.json ? `${JSON.stringify(result, shown)}\n` : renderReport(result));
  return isClean(result) ? 0 : 3;
}
