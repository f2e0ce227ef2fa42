import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pico } from "../../src/core/money.ts";
import type { Probed, ProbeRequest } from "../../src/ports-reports.ts";
import type { ProbeReport } from "../../src/probe/report-schema.ts";
import type { Db } from "../../src/store/db.ts";
import { runChecks } from "../../src/store/verify.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { refusalOf, strictly } from "../support/admin-answers.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

const known = 1_143_000_000n;
const report = {
  ...{ schema: "tollgate.probe/1", at: "2026-11-20T09:30:00.000Z", duration_ms: 12, environment: {} },
  cost: {
    ...{ known_usd: "0.001143", at_most_usd: "0.002", max_usd: "0.05" },
    ...{ calls: 2, refused: 0, without_usage: 1 },
  },
  ...{ calls: [], skipped: [], parameters: [], errors: [], accuracy: [], latency: {}, money: null },
  prompt_overhead: { tokens: null, samples: 0 },
  ...{ findings: [], lessons: [] },
} as unknown as ProbeReport;
const done = (): Probed<ProbeReport> => ({
  ...{ ok: true, deployment: "mini", report, spent: { known: pico(known), atMost: pico(2_000_000_000n) } },
});
const path = "/endpoints/azure-east/probe";

describe.each(databaseKinds)("POST /endpoints/{name}/probe on %s", (kind) => {
  let db: Db;
  let admin: AdminClient;
  let call: AdminClient["call"];
  let asked: ProbeRequest[] = [];
  let probe: (signal: AbortSignal) => Promise<Probed<ProbeReport>> = async () => done();
  beforeAll(async () => {
    db = await newDatabase(kind);
  });
  beforeEach(() => {
    asked = [];
    probe = async () => done();
    admin = openAdmin(db, {
      probeEndpoint: (request, signal) => {
        asked.push(request);
        return probe(signal);
      },
    });
    call = strictly(admin);
  });
  afterEach(() => admin.app.close());
  afterAll(() => db.close());

  const booked = async (id: string): Promise<string[]> =>
    (await call("GET", `/ledger/entries?transaction=${id}`)).json.data
      .map(
        (one: Record<string, string>) =>
          `${one.kind} ${one.account_id} ${one.ledger_account} ${one.amount_usd}`,
      )
      .sort();
  const audited = async (): Promise<Record<string, unknown>[]> =>
    (await call("GET", "/audit?target=azure-east")).json.data;
  const inOrder = async (): Promise<void> => {
    expect((await runChecks(db, 60_000)).filter((one) => !one.ok)).toEqual([]);
  };

  test("asks for what the body says, and books and audits what it cost", async () => {
    const body = { deployment: "mini", save: true, max_cost_usd: "0.1", volume: 5 };
    const answer = await call("POST", path, { body });
    expect([answer.status, answer.json]).toEqual([200, report]);
    const [request] = asked;
    expect(request).toEqual({
      ...{ id: expect.stringMatching(/^probe_/), endpoint: "azure-east", deployment: "mini" },
      ...{ save: true, maxCost: 100_000_000_000n, volume: 5 },
    });
    expect(await booked(request?.id ?? "")).toEqual([
      "probe operator vendor_cost -0.001143",
      "probe operator vendor_payable 0.001143",
    ]);
    expect((await audited())[0]).toMatchObject({
      ...{ actor: "owner", action: "endpoint.probe", target: "azure-east", before: null },
      after: {
        ...{ id: request?.id, deployment: "mini", known_usd: "0.001143", at_most_usd: "0.002" },
        ...{ findings: [], saved: true },
      },
    });
    await inOrder();
  });

  test("without a body it spends at most 5 cents and saves nothing", async () => {
    await call("POST", path);
    expect(asked).toMatchObject([
      { deployment: null, save: false, maxCost: 50_000_000_000n, volume: 1_000_000 },
    ]);
  });

  test.each([
    [{ max_cost_usd: "0" }, "400 invalid_amount max_cost_usd"],
    [{ max_cost_usd: "ten" }, "400 invalid_amount max_cost_usd"],
    [{ max_cost_usd: "10.01" }, "400 invalid_amount max_cost_usd"],
    [{ max_cost_usd: 1 }, "400 invalid_field max_cost_usd"],
    [{ volume: 0 }, "400 invalid_field volume"],
    [{ volumes: 1 }, "400 unknown_field volumes"],
  ])("refuses %j, and nothing is asked of the vendor", async (body, refusal) => {
    expect(refusalOf(await call("POST", path, { body }))).toBe(refusal);
    expect(asked).toEqual([]);
  });

  test("an endpoint that is not there is a 404", async () => {
    expect(refusalOf(await call("POST", "/endpoints/west/probe"))).toBe("404 endpoint_not_found -");
    expect(asked).toEqual([]);
  });

  test("a repeat gets the first report, while it runs a 409, and another body a 422", async () => {
    const headers = { "idempotency-key": `once-${kind}` };
    let finish: () => void = () => undefined;
    const gate = new Promise<Probed<ProbeReport>>((resolve) => {
      finish = () => resolve(done());
    });
    const started = new Promise<void>((resolve) => {
      probe = () => {
        resolve();
        return gate;
      };
    });
    const first = call("POST", path, { headers });
    await started;
    expect(refusalOf(await call("POST", path, { headers }))).toBe("409 idempotency_in_progress -");
    finish();
    expect((await first).status).toBe(200);
    const again = await call("POST", path, { headers });
    expect([again.status, again.json, again.headers["idempotent-replayed"]]).toEqual([200, report, "true"]);
    expect(refusalOf(await call("POST", path, { headers, body: { save: true } }))).toBe(
      "422 idempotency_key_reused -",
    );
    expect(asked).toHaveLength(1);
    expect(await booked(asked[0]?.id ?? "")).toHaveLength(2);
    await inOrder();
  });

  test("a failure that cost something is booked and audited, and leaves the key free", async () => {
    const headers = { "idempotency-key": `again-${kind}` };
    probe = async () => ({
      ...{ ok: false, code: "probe_interrupted", message: "Interrupted after 3 calls.", deployment: "mini" },
      spent: { known: pico(known), atMost: null },
    });
    const answer = await call("POST", path, { headers });
    expect(refusalOf(answer)).toBe("503 probe_interrupted -");
    expect(await booked(asked[0]?.id ?? "")).toHaveLength(2);
    expect((await audited())[0]).toMatchObject({
      after: { known_usd: "0.001143", at_most_usd: null, failure: "probe_interrupted", saved: false },
    });
    probe = async () => done();
    expect((await call("POST", path, { headers })).status).toBe(200);
    await inOrder();
  });

  test("a failure that cost nothing leaves no trace", async () => {
    const before = await audited();
    probe = async () => ({
      ...{ ok: false, code: "endpoint_unreachable", message: "Cannot probe: nothing.", deployment: null },
      spent: { known: pico(0n), atMost: pico(0n) },
    });
    expect(refusalOf(await call("POST", path))).toBe("502 endpoint_unreachable -");
    expect(await booked(asked[0]?.id ?? "")).toEqual([]);
    expect(await audited()).toEqual(before);
  });

  test("a fault in the middle leaves the key free", async () => {
    const headers = { "idempotency-key": `fault-${kind}` };
    probe = async () => {
      throw new Error("boom");
    };
    expect(refusalOf(await call("POST", path, { headers }))).toBe("500 internal_error -");
    probe = async () => done();
    expect((await call("POST", path, { headers })).status).toBe(200);
  });

  test("the key of a process that died in the middle is free again after ten minutes", async () => {
    const headers = { "idempotency-key": `dead-${kind}` };
    await call("POST", path, { headers });
    await db.query("update idempotency set status = null, headers = null, body = null where key = $1", [
      headers["idempotency-key"],
    ]);
    expect(refusalOf(await call("POST", path, { headers }))).toBe("409 idempotency_in_progress -");
    await db.query("update idempotency set expires_at = clock_timestamp() where key = $1", [
      headers["idempotency-key"],
    ]);
    expect((await call("POST", path, { headers })).status).toBe(200);
  });

  test("no more than four run at once, and a server that stops waits until they are booked", async () => {
    const opened: Array<() => void> = [];
    probe = (signal) =>
      new Promise((resolve) => {
        opened.push(() => resolve(done()));
        signal.addEventListener("abort", () => resolve(done()), { once: true });
      });
    const answers = [1, 2, 3, 4].map(() => call("POST", path));
    while (opened.length < 4) await new Promise((resolve) => setImmediate(resolve));
    const fifth = await call("POST", path);
    expect([refusalOf(fifth), fifth.headers["retry-after"]]).toEqual(["503 overloaded -", "10"]);
    await admin.app.close();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const [row] = await db.query<{ n: number }>(
      "select count(*)::int as n from entries where tx_id = any($1)",
      [asked.map(({ id }) => id)],
    );
    expect(row?.n).toBe(8);
  });
});
