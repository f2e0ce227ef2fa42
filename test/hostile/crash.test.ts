/** Processes that die, freeze and come back: what they held is neither lost nor freed early, and charged once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatAnswer, usage, wholeAnswer } from "./support/evil-vendor.ts";
import { gate, until } from "./support/gate.ts";
import { spawnGateway } from "./support/gateway-process.ts";
import { pause } from "./support/raw-client.ts";
import { evilChat, openWorld, verdict, type World } from "./support/world.ts";

const recoveryMs = 2_000;
let world: World;
beforeAll(async () => {
  world = await openWorld({ yaml: `\nledger: { recovery_ms: ${recoveryMs} }` });
});
afterAll(() => world.close());

const path = "/v1/chat/completions";

test("row 50: a crash loop frees no hold early, leaks none, and each is charged once", async () => {
  const { key, accountId } = await world.customer("10");
  let requests = 0;
  for (let round = 0; round < 2; round += 1) {
    const doomed = await world.spawn();
    const hanging = gate(world, `hang ${round}`, "");
    const lost = Array.from({ length: 5 }, () =>
      world
        .post(path, key, evilChat(`hang ${round}`, { max_tokens: 100 }), { url: doomed.url })
        .catch(() => null),
    );
    await until(() => hanging.waiting() === 5, "the vendor was called five times");
    requests += 5;
    const before = await world.balance(accountId);
    await doomed.kill();
    await Promise.all(lost);
    // At once after the crash the money is still set aside: its process might only be slow.
    expect(await world.balance(accountId)).toEqual(before);
    expect(before.held).toBeGreaterThan(0n);
    await until(
      async () => (await world.balance(accountId)).held === 0n,
      "the holds were settled",
      3 * recoveryMs,
    );
  }
  const rows = await world.records(accountId);
  expect(rows).toHaveLength(requests);
  expect(
    rows.filter((row) => row.state !== "settled" || row.outcome !== "recovered" || BigInt(row.charge) <= 0n),
  ).toEqual([]);
  const spent = rows.reduce((sum, row) => sum + BigInt(row.charge), 0n);
  expect((await world.balance(accountId)).posted).toBe(100_000_000_000n - spent);
});

test("row 50: a process that froze until its lease was over settles nothing a second time", async () => {
  const { key, accountId } = await world.customer("10");
  const frozen = await world.spawn();
  const slow = gate(world, "frozen", wholeAnswer(chatAnswer({ usage: usage(10, 5) })));
  const running = world
    .post(path, key, evilChat("frozen", { max_tokens: 100 }), { url: frozen.url })
    .then(verdict);
  await until(() => slow.waiting() === 1, "the vendor was called");
  process.kill(frozen.pid, "SIGSTOP");
  slow.letGo();
  await until(
    async () => (await world.balance(accountId)).held === 0n,
    "another process settled it",
    3 * recoveryMs,
  );
  const [recovered] = await world.records(accountId);
  expect(recovered?.outcome).toBe("recovered");
  process.kill(frozen.pid, "SIGCONT");
  await running;
  await pause(200);
  expect(await world.records(accountId)).toHaveLength(1);
  expect((await world.records(accountId))[0]?.charge).toBe(recovered?.charge);
  // It takes a new lease and works on.
  await until(
    async () => (await verdict(await world.post(path, key, evilChat("none"), { url: frozen.url }))) === "200",
    "it served again",
  );
});

test("row 51: a second process on the embedded database's directory is refused; after a crash the next one starts", async () => {
  const home = mkdtempSync(join(tmpdir(), "tollgate-directory-"));
  const options = { home, yaml: world.yaml.replace('"${DATABASE_URL_SECRET}"', "./books"), env: world.env };
  const first = await spawnGateway(options);
  try {
    const second = await spawnGateway(options).then(
      async (gateway) => {
        await gateway.kill();
        return "it started";
      },
      (error: Error) => error.message,
    );
    expect(second).toMatch(/Cannot .*books/);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  } finally {
    await first.kill();
  }
  const third = await spawnGateway(options);
  expect((await fetch(`${third.url}/readyz`)).status).toBe(200);
  await third.stop();
  rmSync(home, { recursive: true, force: true });
}, 120_000);
