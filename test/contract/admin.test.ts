import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Db } from "../../src/store/db.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

describe.each(databaseKinds)("admin API on %s", (kind) => {
  let db: Db;
  let admin: AdminClient;
  beforeAll(async () => {
    db = await newDatabase(kind);
    admin = openAdmin(db);
  });
  afterAll(async () => {
    await admin.app.close();
    await db.close();
  });

  test("an account is opened, granted credit, given a key", async () => {
    const account = await admin.call("POST", "/accounts", { body: { name: "Acme" } });
    expect([account.status, account.json]).toEqual([
      201,
      expect.objectContaining({ name: "Acme", status: "active" }),
    ]);
    const { id } = account.json;
    const grant = await admin.call("POST", `/accounts/${id}/grants`, { body: { amount: "12.5" } });
    expect([grant.status, grant.json]).toMatchObject([
      201,
      { amount: "12.5", remaining: "12.5", kind: "paid", priority: 50 },
    ]);
    const key = await admin.call("POST", `/accounts/${id}/keys`, { body: { name: "laptop" } });
    expect([key.status, key.json]).toMatchObject([201, { prefix: "sk-tg-live-" }]);
    for (const path of [
      `/accounts`,
      `/accounts/${id}`,
      `/accounts/${id}/grants`,
      `/accounts/${id}/keys`,
      `/keys/${key.json.id}`,
      "/requests",
      "/usage",
      "/ledger/entries",
      "/ledger/verify",
      "/prices",
      "/endpoints",
      "/audit",
      "/me",
      "/tokens",
      "/openapi.json",
    ]) {
      const answer = await admin.call("GET", path);
      expect([path, answer.status, answer.status === 200 ? "" : answer.text]).toEqual([path, 200, ""]);
      if (
        ["/me", "/openapi.json", "/ledger/verify"].includes(path) ||
        /accounts\/[^/]*$|keys\/[^/]*$/.test(path)
      )
        continue;
      const csv = await admin.call("GET", `${path}?format=csv`);
      expect([path, csv.status]).toEqual([path, 200]);
    }
    expect(admin.observations).toEqual([]);
  });
});
