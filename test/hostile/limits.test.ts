/** Limits of a key, tried at two processes at once: they are decided with the hold, so they hold in sum. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatAnswer, usage, wholeAnswer } from "./support/evil-vendor.ts";
import { gate, until } from "./support/gate.ts";
import { type Customer, evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld({ processes: 2 });
});
afterAll(() => world.close());

const answer = wholeAnswer(chatAnswer({ usage: usage(10, 5) }));

/** Sends `count` requests to both processes at once and waits until each was refused or waits at the vendor. */
async function flood(
  customer: Customer,
  name: string,
  count: number,
): Promise<{ answers: Promise<Response>[]; refused: Response[]; letGo: () => void }> {
  const held = gate(world, name, answer);
  const refused: Response[] = [];
  const answers = Array.from({ length: count }, (_, index) =>
    world.post("/v1/chat/completions", customer.key, evilChat(name, { max_tokens: 100 }), {
      url: world.gateways[index % 2]?.url ?? "",
    }),
  );
  for (const one of answers) void one.then((got) => (got.status === 200 ? undefined : refused.push(got)));
  await until(() => refused.length + held.waiting() === count, "every request was decided");
  return { answers, refused, letGo: held.letGo };
}

interface Open {
  readonly amount: string;
  readonly tokens: number;
}
const openHolds = (customer: Customer): Promise<Open[]> =>
  world.db.query<Open>("select amount::text, reserved_tokens::int as tokens from holds where key_id = $1", [
    customer.keyId,
  ]);

test("row 62: requests per minute are counted over all processes", async () => {
  const customer = await world.customer("100", { rpm: 10 });
  const { answers, refused, letGo } = await flood(customer, "rpm", 40);
  const admitted = (await openHolds(customer)).length;
  // A slow machine lets one more through every 6 seconds.
  expect(admitted).toBeGreaterThanOrEqual(10);
  expect(admitted).toBeLessThanOrEqual(12);
  const one = refused[0] as Response;
  expect(await verdict(one)).toBe("429 rate_limit_exceeded");
  expect(Number(one.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(Number(one.headers.get("retry-after"))).toBeLessThanOrEqual(6);
  expect([
    one.headers.get("x-ratelimit-limit-requests"),
    one.headers.get("x-ratelimit-remaining-requests"),
    one.headers.get("x-ratelimit-reset-requests"),
    one.headers.get("x-should-retry"),
  ]).toEqual(["10", "0", "1m0s", "true"]);
  letGo();
  const good = (await Promise.all(answers)).find((got) => got.status === 200);
  expect(good?.headers.get("x-ratelimit-limit-requests")).toBe("10");
  expect(good?.headers.get("x-ratelimit-remaining-requests")).toMatch(/^[0-9]$/);
  expect(good?.headers.get("x-ratelimit-reset-requests")).toMatch(/^(\d+ms|[\d.]+s|\d+m\d+s)$/);
});

test("row 62: tokens per minute are counted over all processes, by what may be used until it is known", async () => {
  const customer = await world.customer("100", { tpm: 2_000 });
  const { answers, refused, letGo } = await flood(customer, "tpm", 40);
  const held = await openHolds(customer);
  const each = held[0]?.tokens ?? 0;
  expect(each).toBeGreaterThan(100);
  const most = Math.floor(2_000 / each);
  expect(held.length).toBeGreaterThanOrEqual(most);
  // The bucket fills while the test runs: 2,000 tokens a minute.
  expect(held.length).toBeLessThanOrEqual(most + 3);
  const limitsOn = (one: Response | undefined): (string | null | undefined)[] =>
    ["limit", "remaining", "reset"].map((name) => one?.headers.get(`x-ratelimit-${name}-tokens`));
  expect(limitsOn(refused[0])).toEqual([
    "2000",
    expect.stringMatching(/^\d{1,3}$/),
    expect.stringMatching(/^[\d.]+s$|^1m0s$/),
  ]);
  expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  letGo();
  expect(limitsOn((await Promise.all(answers)).find((one) => one.status === 200))[0]).toBe("2000");
  const verdicts = await Promise.all(answers.map(async (one) => verdict(await one)));
  expect(new Set(verdicts)).toEqual(new Set(["200", "429 rate_limit_exceeded"]));
});

test("row 62: a spend limit is kept by holds and by charges, over all processes", async () => {
  const limit = 500_000_000n; // 0.05 credits of one cent, pUSD
  const customer = await world.customer("100", { spendLimit: "0.05", spendWindow: "total" });
  const { answers, refused, letGo } = await flood(customer, "spend", 60);
  const held = (await openHolds(customer)).map((hold) => BigInt(hold.amount));
  const sum = held.reduce((a, b) => a + b, 0n);
  expect(sum).toBeLessThanOrEqual(limit);
  const one = refused[0] as Response;
  expect([one.status, one.headers.get("x-should-retry")]).toEqual([429, "false"]);
  expect(((await one.json()) as { error: unknown }).error).toMatchObject({
    type: "insufficient_quota",
    code: "key_spend_limit_exceeded",
    metadata: { limit_source: "key_spend_limit" },
  });
  letGo();
  await Promise.all(answers);
  // What was charged stays below the limit, however often one tries.
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        world
          .post("/v1/chat/completions", customer.key, evilChat("none", { max_tokens: 5 }), {
            url: world.gateways[index % 2]?.url ?? "",
          })
          .then((got) => got.text()),
      ),
    );
  }
  const charged = (await world.records(customer.accountId)).reduce(
    (total, row) => total + BigInt(row.charge),
    0n,
  );
  expect(charged).toBeGreaterThan(0n);
  expect(charged).toBeLessThanOrEqual(limit);
});

test("row 62: requests at once are counted over all processes", async () => {
  const customer = await world.customer("100", { maxConcurrent: 3 });
  const { answers, refused, letGo } = await flood(customer, "concurrent", 30);
  expect(await openHolds(customer)).toHaveLength(3);
  expect(refused[0]?.headers.get("retry-after")).toBe("1");
  expect(await verdict(refused[0] as Response)).toBe("429 rate_limit_exceeded");
  letGo();
  await Promise.all(answers);
  expect(await verdict(await world.post("/v1/chat/completions", customer.key, evilChat("none")))).toBe("200");
});
