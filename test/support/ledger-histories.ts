/** Random histories of a small world: three accounts, four keys, whatever people and requests may do to them. */
import fc from "fast-check";

/** Small numbers of a unit so odd that sums cross 2^53 and no rounding goes unseen. */
const unit = 10_000_000_000_007n;
const amounts = (most: number) => fc.integer({ min: 1, max: most }).map((n) => BigInt(n) * unit);
const picks = fc.nat({ max: 30 });
const accounts = fc.nat({ max: 2 });
/** 0–3 are keys of the accounts 0, 0, 1, 2; 4 is nobody's; null is no key. */
const keys = fc.option(fc.nat({ max: 4 }), { freq: 3 });
const hundreds = fc.nat({ max: 4 }).map((n) => n * 100);

const holds = fc.record({
  kind: fc.constant("hold" as const),
  account: accounts,
  key: keys,
  /** Of the account that the key belongs to, mostly. */
  isOwnKey: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  amount: amounts(60),
  elastic: fc.option(fc.record({ least: amounts(30), step: fc.bigInt({ min: 0n, max: 3n * unit }) }), {
    freq: 3,
  }),
  isFinal: fc.boolean(),
  tokens: hundreds,
  idempotency: fc.option(fc.record({ key: fc.nat({ max: 2 }), body: fc.nat({ max: 1 }) }), { freq: 4 }),
  /** Sent again under the id of an earlier request. */
  again: fc.option(picks, { freq: 8 }),
});

const settles = fc.record({
  kind: fc.constant("settle" as const),
  pick: picks,
  isUnknown: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
  /** Percent of the hold; above 100 it is a bug that must move nothing. */
  percent: fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(0, 100, 101)),
  isRelease: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  loss: fc.option(amounts(5), { freq: 4 }),
  tokens: hundreds,
});

const batches = fc.record({
  kind: fc.constant("batch" as const),
  parts: fc.array(fc.oneof({ weight: 3, arbitrary: holds }, { weight: 2, arbitrary: settles }), {
    minLength: 1,
    maxLength: 8,
  }),
});

const limits = fc.record({
  kind: fc.constant("limit" as const),
  key: fc.nat({ max: 3 }),
  spend: fc.option(
    fc.record({ limit: amounts(80), window: fc.constantFrom("month" as const, "total" as const) }),
  ),
  rpm: fc.option(fc.integer({ min: 1, max: 4 })),
  tpm: fc.option(fc.integer({ min: 1, max: 6 }).map((n) => n * 100)),
  maxConcurrent: fc.option(fc.integer({ min: 1, max: 3 })),
});

const grants = fc.record({
  kind: fc.constant("grant" as const),
  account: accounts,
  amount: amounts(100),
  grantKind: fc.constantFrom("paid" as const, "promotional" as const),
  priority: fc.constantFrom(10, 50),
  /** Days from a far date; null = never. */
  expiry: fc.option(fc.integer({ min: 1, max: 3 })),
  reference: fc.option(fc.nat({ max: 2 }), { freq: 3 }),
});

const steps = fc.oneof(
  { weight: 12, arbitrary: batches },
  { weight: 3, arbitrary: grants },
  { weight: 1, arbitrary: limits },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("expire" as const), pick: picks }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("book_expiry" as const), account: accounts }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("void" as const), pick: picks }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("refund" as const),
      pick: picks,
      percent: fc.option(fc.integer({ min: 1, max: 110 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("freeze" as const), account: accounts, isFrozen: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("revoke" as const),
      key: fc.nat({ max: 3 }),
      isRevoked: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("month_passes" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("minute_passes" as const), key: fc.nat({ max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("store_results" as const) }) },
);

export type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;
export type BatchStep = Extract<Step, { kind: "batch" }>;
export type HoldPart = Extract<BatchStep["parts"][number], { kind: "hold" }>;
export type SettlePart = Extract<BatchStep["parts"][number], { kind: "settle" }>;

/** Every history begins with credit, so that most of what follows has something to move. */
export const histories: fc.Arbitrary<Step[]> = fc
  .tuple(fc.array(grants, { minLength: 2, maxLength: 4 }), fc.array(steps, { minLength: 1, maxLength: 30 }))
  .map(([first, rest]) => [...first, ...rest]);
