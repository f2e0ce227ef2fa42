/**
 * Compares our token counter with gpt-tokenizer and tiktoken, interleaved in one process: `node bench/run.mjs
 * tokens`.
 */
import { readFileSync } from "node:fs";
import ranks from "gpt-tokenizer/bpeRanks/o200k_base";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { get_encoding } from "tiktoken";
import { createCounter } from "../src/core/tokens/counter.ts";
import { seededRandom } from "../test/support/odd-texts.ts";

/** Fewer rounds and sizes prove that the benchmark still runs. */
export interface BenchOptions {
  readonly rounds: number;
  readonly sizes: readonly number[];
  readonly print: (line: string) => void;
}

export function main(): void {
  compareCounters({
    rounds: 6,
    sizes: [1_000, 100_000],
    print: (line) => process.stdout.write(`${line}\n`),
  });
}

/**
 * Prints, for each text, our time and how many times longer the others take (least of `rounds`; above 1 we
 * are faster).
 */
export function compareCounters({ rounds, sizes, print }: BenchOptions): void {
  const counter = createCounter(ranks, "o200k_base");
  const tiktoken = get_encoding("o200k_base");
  const asText = { disallowedSpecial: new Set<string>() };
  const contestants: ReadonlyArray<(text: string) => number> = [
    (text) => counter.count(text).tokens,
    (text) => countTokens(text, asText),
    (text) => tiktoken.encode_ordinary(text).length,
  ];
  print("text                     own µs  gpt-tokenizer  tiktoken");
  try {
    for (const [name, make] of Object.entries(texts)) {
      for (const size of sizes) {
        // Each round has a text of its own: all keep caches, and a gateway rarely sees a text twice.
        const rows = Array.from({ length: rounds }, (_, round) => {
          const text = make(size, round);
          return contestants.map((count) => timeUs(() => count(text)));
        });
        const [own, gptTokenizer, wasm] = contestants.map((_, i) =>
          Math.min(...rows.map((row) => row[i] as number)),
        );
        print(
          `${`${name} ${size}`.padEnd(22)}${column(own, 0)}${ratio(gptTokenizer, own)}${ratio(wasm, own)}`,
        );
      }
    }
  } finally {
    tiktoken.free();
  }
}

const column = (value: number | undefined, digits: number): string =>
  (value ?? Number.NaN).toFixed(digits).padStart(9);
const ratio = (other: number | undefined, own: number | undefined): string =>
  `${column((other ?? Number.NaN) / (own ?? Number.NaN), 1)}×   `;

function timeUs(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) * 1000;
}

const prose = readFileSync("node_modules/fastify/docs/Reference/Reply.md", "utf8");
const code = readFileSync("node_modules/fastify/fastify.js", "utf8");
const cut = (text: string, size: number, round: number): string =>
  text.repeat(Math.ceil((size * (round + 2)) / text.length)).slice(round * size, (round + 1) * size);

const texts: Readonly<Record<string, (size: number, round: number) => string>> = {
  English: (size, round) => cut(prose, size, round),
  JavaScript: (size, round) => cut(code, size, round),
  base64: (size, round) =>
    Buffer.from(randomUnits(size, round, 256), "latin1")
      .toString("base64")
      .slice(0, size),
  Chinese: (size, round) => randomUnits(size / 3, round, 3_000, 0x4e00).replace(/(.{8})/g, "$1，"),
  "one letter": (size, round) => String.fromCharCode(97 + round).repeat(Math.min(size, 10_000)),
};

function randomUnits(length: number, seed: number, size: number, from = 0): string {
  const random = seededRandom(seed + 1);
  return Array.from({ length }, () => String.fromCharCode(from + Math.floor(random() * size))).join("");
}
