/** Attacks on the money itself: prices, the last cent, leaving early, races of refunds, voids and settlements. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { openBooks } from "../support/books.ts";
import { newPostgresUrl } from "../support/databases.ts";
import { chatAnswer, chunk, event, streamHead, usage, wholeAnswer } from "./support/evil-vendor.ts";
import { gate, until } from "./support/gate.ts";
import { open, pause, requestText } from "./support/raw-client.ts";
import { chat, evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld({
    processes: 2,
    models: `
  later: { deployments: [{ endpoint: evil, deployment: later }] }
  soon: { deployments: [{ endpoint: evil, deployment: soon }] }
  changing: { deployments: [{ endpoint: evil, deployment: changing }] }`,
    yaml: `
  - { model: later, from: 2099-01-01T00:00:00Z, input: "1.00", output: "2.00", context_window: 1000, max_output_tokens: 100 }
  - { model: changing, input: "1.00", output: "2.00", context_window: 100000, max_output_tokens: 10000 }`,
  });
});
afterAll(() => world.close());

const path = "/v1/chat/completions";

test("row 13: a model without a price, or with one of the future, is refused before any vendor call", async () => {
  const { key, accountId } = await world.customer("100");
  const before = world.evil.seen.length + world.simulator.requests().length;
  for (const model of ["unpriced", "later", "soon"]) {
    expect(await verdict(await world.post(path, key, chat("", { model })))).toBe("400 model_not_priced");
    expect(await verdict(await world.post("/v1/responses", key, { model, input: "x" }))).toBe(
      "400 model_not_priced",
    );
  }
  expect(world.evil.seen.length + world.simulator.requests().length).toBe(before);
  expect(await world.records(accountId)).toEqual([]);
});

test("row 13: a published price is in force from its instant on, and not before", async () => {
  const { key } = await world.customer("100");
  const from = new Date(Date.now() + 1_500).toISOString();
  const made = await world.admin("POST", "/prices", {
    model: "soon",
    from,
    input: "1.00",
    output: "2.00",
    context_window: 1_000,
    max_output_tokens: 100,
  });
  expect(made.status).toBe(201);
  expect(await verdict(await world.post(path, key, evilChat("none", { model: "soon" })))).toBe(
    "400 model_not_priced",
  );
  await pause(1_600);
  expect(await verdict(await world.post(path, key, evilChat("none", { model: "soon" })))).toBe("200");
});

test("row 14: the price at the hold is the price of the charge", async () => {
  const { key, accountId } = await world.customer("100");
  const answer = wholeAnswer(chatAnswer({ usage: usage(10, 5), model: "changing" }));
  const slow = gate(world, "slow", answer);
  world.evil.scripts.set("quick", (socket) => void socket.write(answer));
  const running = world.post(path, key, evilChat("slow", { model: "changing" }));
  await until(() => slow.waiting() === 1, "the vendor was called");
  const dearer = {
    model: "changing",
    input: "10.00",
    output: "20.00",
    context_window: 100_000,
    max_output_tokens: 10_000,
  };
  expect((await world.admin("POST", "/prices", dearer)).status).toBe(201);
  expect(await verdict(await world.post(path, key, evilChat("quick", { model: "changing" })))).toBe("200");
  slow.letGo();
  expect(await verdict(await running)).toBe("200");
  const [after, before] = await world.records(accountId);
  const charge = 10n * 1_250_000n + 5n * 2_500_000n;
  expect([before?.charge, after?.charge].sort()).toEqual([String(charge), String(charge * 10n)].sort());
  expect((await world.records(accountId)).find((row) => row.charge === String(charge))?.loss).toBe("0");
});

test("row 15: of 10,000 holds in 4 processes exactly those are admitted that the balance covers", async () => {
  const url = await newPostgresUrl();
  const databases = Array.from({ length: 4 }, () =>
    openPostgres({ url, poolSize: 1, statementTimeoutMs: 30_000 }),
  );
  const [first] = databases;
  if (first === undefined) throw new Error("There is no database");
  await migrate(first);
  const books = await Promise.all(databases.map((db) => openBooks(db)));
  await books[0]?.account("acme", [
    { id: "g1", usd: "0.20" },
    { id: "g2", usd: "0.17" },
  ]);
  const outcomes = await Promise.all(
    books.flatMap((one, process) =>
      Array.from({ length: 2_500 }, (_, index) => one.hold(`r${process}-${index}`, "acme", "0.01")),
    ),
  );
  expect(outcomes.filter((one) => one.ok)).toHaveLength(37);
  expect(await books[0]?.show("acme")).toBe("acme posted 0.37 held 0.37");
  for (const db of databases) await db.close();
});

test("row 15: over two gateways the last credit is spent once, and not a request more", async () => {
  const { key, accountId } = await world.customer("0.30");
  const last = gate(world, "last", wholeAnswer(chatAnswer({ usage: usage(10, 5) })));
  const body = evilChat("last", { max_tokens: 10 });
  const sent = Array.from({ length: 600 }, (_, index) =>
    world.post(path, key, body, { url: world.gateways[index % 2]?.url ?? "" }),
  );
  let refused = 0;
  for (const one of sent) void one.then((answer) => (refused += answer.status === 402 ? 1 : 0));
  await until(() => refused + last.waiting() === sent.length, "every request was decided");
  const admitted = last.waiting();
  const held = await world.db.query<{ amount: string }>(
    "select amount::text from holds where account_id = $1",
    [accountId],
  );
  const amounts = held.map((row) => BigInt(row.amount));
  const [least] = amounts.toSorted((a, b) => (a < b ? -1 : 1)) as [bigint];
  const balance = await world.balance(accountId);
  expect(held).toHaveLength(admitted);
  expect(balance.held).toBe(amounts.reduce((a, b) => a + b, 0n));
  expect(balance.posted - balance.held).toBeGreaterThanOrEqual(0n);
  expect(balance.posted - balance.held).toBeLessThan(least);
  last.letGo();
  const verdicts = await Promise.all(sent.map(async (one) => verdict(await one)));
  expect(verdicts.filter((one) => one === "200")).toHaveLength(admitted);
  expect(verdicts.filter((one) => one === "402 credit_balance_exhausted")).toHaveLength(600 - admitted);
});

test("row 16: wherever the client leaves, what the vendor billed is charged", async () => {
  const { key, accountId } = await world.customer("1000");
  const pieces = [
    ...[..."leaving early"].map((content) => event(chunk({ content }))),
    event(chunk({ finish: "stop" })),
    event(chunk({ choices: [], usage: usage(20, 13) })),
    event("[DONE]"),
  ];
  world.evil.scripts.set("drip", async (socket) => {
    socket.write(streamHead());
    for (const piece of pieces) {
      socket.write(piece);
      await pause(1);
    }
    socket.end();
  });
  const whole = requestText(
    path,
    { authorization: `Bearer ${key}`, "content-type": "application/json" },
    JSON.stringify(evilChat("drip", { stream: true })),
  );
  const leaveAfter = async (bytes: number): Promise<void> => {
    const socket = await open(world.port);
    let received = 0;
    const left = new Promise<void>((resolve) => {
      socket.on("close", () => resolve());
      socket.on("data", (data: Buffer) => {
        received += data.length;
        if (received >= bytes) socket.destroy();
      });
    });
    socket.write(whole, () => {
      if (bytes === 0) socket.destroy();
    });
    await left;
  };
  const places = Array.from({ length: 160 }, (_, index) => index * 17);
  for (let from = 0; from < places.length; from += 20)
    await Promise.all(places.slice(from, from + 20).map(leaveAfter));
  // The one that left with its last byte may go unheard: then nothing was held and nobody was called.
  await until(
    async () => (await world.records(accountId)).length >= places.length - 1,
    "every request was settled",
  );
  const charge = String(20n * 1_250_000n + 13n * 2_500_000n);
  const rows = await world.records(accountId);
  const called = rows.filter((row) => row.record.attempts.length > 0);
  expect(
    called.filter((row) => row.source !== "vendor" || row.charge !== charge || row.state !== "settled"),
  ).toEqual([]);
  // Who left before the vendor was called pays nothing, and the vendor was not called.
  expect(
    rows.filter((row) => !called.includes(row) && (row.state !== "released" || row.charge !== "0")),
  ).toEqual([]);
  expect(world.evil.seen.filter((one) => one.body.includes("[[evil:drip]]"))).toHaveLength(called.length);
  expect(called.length).toBeGreaterThan(100);
  expect(rows.some((row) => row.outcome === "client_left")).toBe(true);
});

test("row 16: a client that leaves before its request is whole costs nothing", async () => {
  const { key, accountId } = await world.customer("10");
  const whole = requestText(
    path,
    { authorization: `Bearer ${key}`, "content-type": "application/json" },
    JSON.stringify(evilChat("none")),
  );
  const before = world.evil.seen.length;
  for (let bytes = 1; bytes < whole.length; bytes += 23) {
    const socket = await open(world.port);
    await new Promise<void>((resolve) => socket.write(whole.slice(0, bytes), () => resolve()));
    socket.destroy();
  }
  await pause(200);
  expect(await world.records(accountId)).toEqual([]);
  expect(world.evil.seen).toHaveLength(before);
});

test("row 22: refunds, voids, spending and settling at once lose and make nothing", async () => {
  const { key, accountId } = await world.customer("1");
  const promotional = await world.admin("POST", `/accounts/${accountId}/grants`, {
    amount: "1",
    kind: "promotional",
  });
  const spend = (): Promise<string> =>
    world.post(path, key, evilChat("none", { max_tokens: 100 })).then(verdict);
  expect(await Promise.all([spend(), spend(), spend(), spend()])).toEqual(["200", "200", "200", "200"]);
  const settled = await world.records(accountId);
  const slow = gate(world, "late", wholeAnswer(chatAnswer({ usage: usage(100, 50) })));
  const open = Array.from({ length: 10 }, () =>
    world.post(path, key, evilChat("late", { max_tokens: 100 })).then(verdict),
  );
  await until(() => slow.waiting() === 10, "ten requests are open");
  const refunds = settled.flatMap((row) =>
    [1, 2, 3].map(() => world.admin("POST", `/requests/${row.id}/refunds`, { reason: "race" })),
  );
  const voids = [1, 2, 3].map(() => world.admin("POST", `/grants/${promotional.json.id}/void`, {}));
  slow.letGo();
  const [statuses] = await Promise.all([
    Promise.all(refunds),
    Promise.all(voids),
    Promise.all(open),
    spend(),
    spend(),
  ]);
  // Each charge is given back once.
  expect(statuses.filter((one) => one.status === 201)).toHaveLength(settled.length);
  expect(statuses.filter((one) => one.status >= 500)).toEqual([]);
  await Promise.all(open);
  await world.admin("POST", `/grants/${promotional.json.id}/void`, {});
  const refunded = await world.db.query<{ id: string }>(
    `select q.id from requests q join entries e on e.corrects = q.id and e.ledger_account = 'customer' and e.kind = 'refund'
     where q.account_id = $1 group by q.id, q.charge having sum(e.amount) > q.charge`,
    [accountId],
  );
  expect(refunded).toEqual([]);
  const balance = await world.balance(accountId);
  expect(balance.held).toBe(0n);
  expect(balance.posted).toBeGreaterThanOrEqual(0n);
  const verified = await world.admin("GET", "/ledger/verify");
  expect(verified.json.ok).toBe(true);
});
