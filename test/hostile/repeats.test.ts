/** The same thing twice: idempotency keys of requests, and top-ups that are delivered again and again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminTokenCanary } from "./support/canary.ts";
import { chatAnswer, streamHead, usage, usualStream, wholeAnswer } from "./support/evil-vendor.ts";
import { pause } from "./support/raw-client.ts";
import { evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld({ processes: 2 });
});
afterAll(() => world.close());

const path = "/v1/chat/completions";
const once = (key: string): { headers: Record<string, string> } => ({ headers: { "idempotency-key": key } });

/** Answers with a number that counts up, so that a second run could be told from the first. */
function counting(name: string, delayMs = 0): void {
  let count = 0;
  world.evil.scripts.set(name, async (socket) => {
    count += 1;
    const answer = wholeAnswer(chatAnswer({ content: `run ${count}`, usage: usage(10, 5) }));
    await pause(delayMs);
    socket.write(answer);
  });
}

test("row 17: the same key and body is run and charged once, in every process", async () => {
  counting("once");
  const { key, accountId } = await world.customer("10");
  const first = await world.post(path, key, evilChat("once"), once("k-1"));
  const text = await first.text();
  expect(text).toContain("run 1");
  await pause(100);
  for (const { url } of [...world.gateways, ...world.gateways]) {
    const again = await world.post(path, key, evilChat("once"), { ...once("k-1"), url });
    expect([again.status, await again.text()]).toEqual([200, text]);
  }
  expect((await world.records(accountId)).filter((row) => row.state === "settled")).toHaveLength(1);
});

test("row 17: a hundred at once run once; the others wait their turn or are told to", async () => {
  counting("crowd", 150);
  const { key, accountId } = await world.customer("10");
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      world
        .post(path, key, evilChat("crowd"), { ...once("k-crowd"), url: world.gateways[index % 2]?.url ?? "" })
        .then(verdict),
    ),
  );
  expect(new Set(answers)).toEqual(new Set(["200", "409 idempotency_in_progress"]));
  expect(world.evil.seen.filter((one) => one.body.includes("[[evil:crowd]]"))).toHaveLength(1);
  expect((await world.records(accountId)).filter((row) => row.state === "settled")).toHaveLength(1);
});

test("row 17: a stream that is asked for again gives the same bytes and one charge", async () => {
  const { key, accountId } = await world.customer("10");
  world.evil.scripts.set("stream", (socket) => void socket.end(streamHead() + usualStream()));
  const body = evilChat("stream", { stream: true });
  const text = await (await world.post(path, key, body, once("k-stream"))).text();
  await pause(100);
  const again = await world.post(path, key, body, once("k-stream"));
  expect([again.status, await again.text()]).toEqual([200, text]);
  expect((await world.records(accountId)).filter((row) => row.state === "settled")).toHaveLength(1);
});

test("row 17: a request that was refused before it ran leaves its key free", async () => {
  const { key, accountId } = await world.customer("0");
  expect(await verdict(await world.post(path, key, evilChat("none"), once("k-poor")))).toBe(
    "402 credit_balance_exhausted",
  );
  await world.admin("POST", `/accounts/${accountId}/grants`, { amount: "10" });
  expect(await verdict(await world.post(path, key, evilChat("none"), once("k-poor")))).toBe("200");
});

test("row 18: the same key with another body or route is refused; odd keys too", async () => {
  const { key } = await world.customer("10");
  expect(await verdict(await world.post(path, key, evilChat("none"), once("k-2")))).toBe("200");
  expect(await verdict(await world.post(path, key, evilChat("none", { max_tokens: 51 }), once("k-2")))).toBe(
    "422 idempotency_key_reused",
  );
  expect(
    await verdict(await world.post("/v1/completions", key, { model: "evil", prompt: "x" }, once("k-2"))),
  ).toBe("422 idempotency_key_reused");
  expect(await verdict(await world.post(path, key, evilChat("none"), once("x".repeat(256))))).toMatch(
    /^400 /,
  );
});

test("row 18: joined parts never collide: an account and a key are two columns", async () => {
  const a = await world.customer("10");
  const b = await world.customer("10");
  expect(await verdict(await world.post(path, a.key, evilChat("none"), once(`${b.accountId}:k`)))).toBe(
    "200",
  );
  expect(await verdict(await world.post(path, b.key, evilChat("none", { max_tokens: 9 }), once("k")))).toBe(
    "200",
  );
});

test("row 19: another account's key gives nothing of its answer", async () => {
  world.evil.scripts.set(
    "private",
    (socket) => void socket.write(wholeAnswer(chatAnswer({ content: "for acme only", usage: usage(10, 5) }))),
  );
  const acme = await world.customer("10");
  const other = await world.customer("0");
  const rich = await world.customer("10");
  expect(await verdict(await world.post(path, acme.key, evilChat("private"), once("shared")))).toBe("200");
  await pause(100);
  const poor = await world.post(path, other.key, evilChat("private"), once("shared"));
  expect(poor.status).toBe(402);
  expect(await poor.text()).not.toContain("acme only");
  const before = world.evil.seen.length;
  expect(await verdict(await world.post(path, rich.key, evilChat("private"), once("shared")))).toBe("200");
  expect(world.evil.seen).toHaveLength(before + 1);
  expect((await world.records(rich.accountId)).filter((row) => row.state === "settled")).toHaveLength(1);
});

test("row 21: one top-up delivered a hundred times, over two processes, is one grant", async () => {
  const { accountId } = await world.customer("0");
  const token = { authorization: `Bearer ${adminTokenCanary}`, "content-type": "application/json" };
  const deliver = (index: number): Promise<Response> =>
    fetch(`${world.gateways[index % 2]?.url}/admin/v1/accounts/${accountId}/grants`, {
      method: "POST",
      headers: { ...token, "idempotency-key": `delivery-${index}` },
      body: JSON.stringify({ amount: "5", reference: "payment-1" }),
    });
  const statuses = (await Promise.all(Array.from({ length: 100 }, (_, index) => deliver(index)))).map(
    (answer) => answer.status,
  );
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  expect(statuses.filter((status) => status === 200)).toHaveLength(99);
  const grants = await world.admin("GET", `/accounts/${accountId}/grants`);
  expect(grants.json.data).toHaveLength(1);
  expect(await world.balance(accountId)).toMatchObject({ posted: 50_000_000_000n });
});

test("row 21: the same admin request by its Idempotency-Key is made once", async () => {
  const { accountId } = await world.customer("0");
  const token = {
    authorization: `Bearer ${adminTokenCanary}`,
    "content-type": "application/json",
    "idempotency-key": "topup-7",
  };
  const url = `${world.url}/admin/v1/accounts/${accountId}/grants`;
  const send = (amount: string): Promise<Response> =>
    fetch(url, { method: "POST", headers: token, body: JSON.stringify({ amount }) });
  const statuses = (await Promise.all(Array.from({ length: 40 }, () => send("5")))).map(
    (answer) => answer.status,
  );
  expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
  expect((await send("6")).status).toBe(422);
  expect((await world.admin("GET", `/accounts/${accountId}/grants`)).json.data).toHaveLength(1);
});
