/** Texts on which token counters were seen to differ, seeded. Used by tests only. */

/** A small seeded generator (mulberry32): the same numbers from 0 to below 1 on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const prose = [
  "In one sentence, what does a toll gate do? It's where you'll pay; they've said WE'RE next, and I'm sure he'd agree.\n",
  'export const rate = (usage: Usage, row: PriceRow): bigint => {\n  // "cached" is a part of input\n\treturn usage.input * 2n;\n};\r\n',
  '{"model":"gpt-5-mini","messages":[{"role":"user","content":"Grüße, 日本 👋🏽 – fine"}],"max_tokens":128000,"t":0.7e-3}\n',
  "Die Maut beträgt 12,50 €; le péage coûte 12,50 €; 料金は１２円です。요금은 얼마입니까? كم الرسوم؟ Плата 12 руб.  ค่าผ่านทาง เท่าไร\n\n",
  "QWxsIGdvb2QgdGhpbmdzIGNvbWUgaW4gdGhyZWVzLg== 9f86d081884c7d659a2feaa0c55ad015 550e8400-e29b-41d4-a716-446655440000\n",
].join("");

const odd = [
  ..."\ufeff\u0085ſ \n\t\0\u200d\u3000\u2028\u00a0ǅʰⅧ²ßİıKK\u0300\u0903é語ภAaZ1/'=.!_-",
  ...[
    "  ",
    "\r\n",
    "\ud800",
    "\udc00",
    "😀",
    "👨‍👩‍👧",
    "e\u0301",
    "𝒜",
    "𠀀",
    "'ſ",
    "'S",
    "'LL",
    "'Ve",
    "don't",
    "I'M",
  ],
  ...["<|endoftext|>", "<|fim_prefix|>", "<|im_start|>", "123", "漢字"],
];
const whiteSpace = [" ", " ", "\n", "\r", "\t", "\u00a0", "\u0085", "\u3000", "x", "."];

type Random = () => number;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;
const joined = (random: Random, most: number, part: () => string): string =>
  Array.from({ length: below(random, most) }, part).join("");

const kinds: ReadonlyArray<(random: Random) => string> = [
  (random) => prose.slice(below(random, prose.length), below(random, prose.length)),
  (random) => joined(random, 40, () => pick(random, odd)),
  (random) => joined(random, 60, () => String.fromCodePoint(below(random, 0x11_0000))),
  (random) => joined(random, 60, () => String.fromCodePoint(below(random, 0x3000))),
  (random) => joined(random, 100, () => String.fromCharCode(below(random, 128))),
  (random) => joined(random, 30, () => pick(random, whiteSpace)),
  (random) =>
    joined(random, 12, () => (random() < 0.5 ? pick(random, odd) : prose.slice(below(random, 300), 310))),
];

/** A run of one part, up to 2 kB: the case that is slow elsewhere, so it is rarer. */
const run = (random: Random): string =>
  pick(random, odd).repeat(below(random, 2_000)).slice(0, below(random, 2_000));

export function* oddTexts(random: Random, count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield i % 50 === 0 ? run(random) : pick(random, kinds)(random);
}
