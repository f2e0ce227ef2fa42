import { randomBytes } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBooks } from "../../test/support/books.ts";
import { newDatabase } from "../../test/support/databases.ts";
import { apiKeyRandomBytes, formatApiKey } from "../core/api-key.ts";
import { creditUnit } from "../core/money.ts";
import { sha256 } from "../lib/sha256.ts";
import { createAdminStore } from "../store/admin-store.ts";
import { createPortalTokens } from "../store/console.ts";
import { createConsoleReports } from "../store/console-reports.ts";
import type { Db } from "../store/db.ts";
import { addPortal } from "./portal.ts";

describe("a customer's page", () => {
  let db: Db;
  let app: FastifyInstance;
  let token: string;
  let elapsed = 0;

  const tokenFor = async (accountId: string, lifeSeconds = 3_600): Promise<string> => {
    const secret = formatApiKey("portal", randomBytes(apiKeyRandomBytes));
    await createPortalTokens(db).add({ hash: sha256(secret), accountId, createdBy: "owner", lifeSeconds });
    return secret;
  };
  const get = (path: string, bearer: string | null = token) =>
    app.inject({
      url: `/portal/v1${path}`,
      headers: bearer === null ? {} : { authorization: `Bearer ${bearer}` },
    });

  beforeAll(async () => {
    db = await newDatabase("pglite");
    const books = await openBooks(db);
    await books.account("acc_a", [{ id: "grt_a", usd: "10" }]);
    await books.account("acc_b", [{ id: "grt_b", usd: "5" }]);
    await books.key("key_a", "acc_a", { name: "laptop", display: "sk-tg-test-…Ab12" });
    await books.hold("req_01", "acc_a", "1", { keyId: "key_a" });
    await books.hold("req_02", "acc_a", "0.5", { keyId: "key_a" });
    await books.hold("req_03", "acc_b", "0.5");
    const line = {
      kind: "output",
      quantity: 5,
      unit_price_pusd: "2400000",
      list_price_pusd: "2000000",
      amount_pusd: "12000000",
    };
    await books.settle("req_01", "acc_a", "0.000012", {
      keyId: "key_a",
      record: {
        price_lines: [line],
        attempts: [{ endpoint: "secret-endpoint", status: 200 }],
        deployment: "secret-deployment",
      },
    });
    await books.settle("req_03", "acc_b", "0.1");
    app = Fastify();
    addPortal(app, {
      tables: createAdminStore(db),
      portalTokens: createPortalTokens(db),
      reports: createConsoleReports(db),
      clock: { now: Date.now, elapsed: () => elapsed },
      credit: creditUnit("0.01"),
      creditName: "credit",
      timeZone: "Europe/Berlin",
    });
    token = await tokenFor("acc_a");
  });
  afterAll(() => db.close());

  test("shows the balance of its account, to the last digit", async () => {
    expect((await get("/account")).json()).toMatchObject({
      name: "acc_a",
      total_granted: "1000",
      used: "0.0012",
      held: "50",
      available: "949.9988",
      time_zone: "Europe/Berlin",
      grants: [{ id: "grt_a", amount: "1000" }],
    });
  });

  test("shows its requests with their receipts, and no other account's", async () => {
    const { data, next_cursor } = (await get("/requests")).json();
    expect([data.map((row: { id: string }) => row.id), next_cursor]).toEqual([["req_02", "req_01"], null]);
    expect((await get("/requests/req_01")).json()).toMatchObject({
      charge: "0.0012",
      price_lines: [{ kind: "output", quantity: 5, unit_price: "0.00024", amount: "0.0012" }],
    });
    expect((await get("/requests/req_03")).statusCode).toBe(404);
  });

  test("shows its usage and keys", async () => {
    const usage = (await get("/usage?bucket=day&tz=Europe/Berlin&group_by=model")).json();
    expect(usage.totals).toMatchObject({ requests: 1, charge: "0.0012" });
    expect((await get("/keys")).json().data).toMatchObject([{ name: "laptop", display: "sk-tg-test-…Ab12" }]);
    expect((await get("/usage?tz=Nowhere/Land")).statusCode).toBe(400);
  });

  test("says nothing of the vendor's side, anywhere", async () => {
    for (const path of ["/account", "/requests", "/requests/req_01", "/usage", "/keys"]) {
      expect((await get(path)).body).not.toMatch(
        /vendor_cost|loss_usd|list_price|secret-endpoint|secret-deployment|acc_b/,
      );
    }
  });

  test("opens for its own token alone, while that lives", async () => {
    const other = formatApiKey("portal", randomBytes(apiKeyRandomBytes));
    const expired = await tokenFor("acc_a", 0);
    const admin = formatApiKey("admin", randomBytes(apiKeyRandomBytes));
    const codes: number[] = [];
    for (const bearer of [null, "x", other, expired, admin])
      codes.push((await get("/account", bearer)).statusCode);
    expect(codes).toEqual([401, 401, 401, 401, 401]);
    expect((await get("/account", await tokenFor("acc_b"))).json().name).toBe("acc_b");
  });

  test("lets who sent ten wrong tokens wait for a minute, and nobody else at the same address", async () => {
    elapsed += 60_000;
    for (let count = 0; count < 10; count += 1) await get("/account", "wrong");
    expect((await get("/account", "wrong")).statusCode).toBe(429);
    expect((await get("/account")).statusCode).toBe(200);
    elapsed += 60_000;
    expect((await get("/account", "wrong")).statusCode).toBe(401);
  });

  test("takes no writes", async () => {
    const answer = await app.inject({
      method: "POST",
      url: "/portal/v1/account",
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.statusCode).toBe(404);
  });
});
