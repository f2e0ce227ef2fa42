/** The same month counted in every way a person can ask: all agree to the last digit, in any time zone. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Db } from "../../src/store/db.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { newDatabase } from "../support/databases.ts";
import { fillMonth } from "../support/month.ts";
import { columnOf, negate, sumOf } from "../support/sums.ts";

// With half-hour zones, over a change of clocks, and with days that begin a day apart.
const zones = [
  ["Europe/Berlin", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"],
  ["Asia/Kolkata", "2026-10-01T00:00:00+05:30", "2026-11-01T00:00:00+05:30"],
  ["Pacific/Auckland", "2026-10-01T00:00:00+13:00", "2026-11-01T00:00:00+13:00"],
] as const;

describe("a month of requests", () => {
  let db: Db;
  let admin: AdminClient;

  beforeAll(async () => {
    db = await newDatabase("postgres");
    // Two days beyond the month on both sides, so that every zone's month begins and ends in the middle of traffic.
    await fillMonth(db, { from: "2026-09-28T00:00:00Z", days: 37, requests: 5_000, accounts: 6 });
    admin = openAdmin(db);
  });
  afterAll(async () => {
    await admin.app.close();
    await db.close();
  });

  test("is consistent by every rule of the ledger", async () => {
    const { json } = await admin.call("GET", "/ledger/verify");
    expect(json.checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
  });

  test.each(zones)("has one sum in %s, on every page and in every file", async (zone, from, to) => {
    const period = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
    const overview = await admin.call("GET", `/overview?${period}`);
    const usage = await admin.call("GET", `/usage?${period}&bucket=day&tz=${zone}&group_by=model&limit=5000`);
    const rows = await everything(admin, `/requests?${period}`);
    const requestsCsv = (await admin.call("GET", `/requests?${period}&format=csv`)).text;
    const usageCsv = (
      await admin.call("GET", `/usage?${period}&bucket=hour&tz=${zone}&group_by=account,key&format=csv`)
    ).text;
    // The ledger books when a request ends, which may be seconds after the month: its entries are found by their request.
    const settled = new Set(rows.filter((row) => row.state === "settled").map((row) => row.id));
    const entries = await everything(admin, "/ledger/entries?ledger_account=customer");
    const charged = entries
      .filter((entry) => settled.has(String(entry.transaction_id)))
      .map((entry) => negate(String(entry.amount)));
    const total = overview.json.current.charge;
    expect({
      usage: usage.json.totals.charge,
      buckets: sumOf(usage.json.data.map((row: { charge: string }) => row.charge)),
      requests: sumOf(rows.map((row) => String(row.charge))),
      requestsCsv: sumOf(columnOf(requestsCsv, "charge")),
      usageCsv: sumOf(columnOf(usageCsv, "charge")),
      ledger: sumOf(charged),
      count: [usage.json.totals.requests, overview.json.current.requests],
    }).toEqual({
      ...{
        usage: total,
        buckets: total,
        requests: total,
        requestsCsv: total,
        usageCsv: total,
        ledger: total,
      },
      count: [settled.size, settled.size],
    });
    expect(settled.size).toBeGreaterThan(3_000);
  });

  test.each(zones)(
    "has the same days in %s whether buckets or requests are summed",
    async (zone, from, to) => {
      const period = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
      const { json } = await admin.call("GET", `/usage?${period}&bucket=day&tz=${zone}`);
      const days: { bucket: string; charge: string }[] = json.data;
      expect([days.length, new Date(days[0]?.bucket ?? "").getTime()]).toEqual([
        31,
        new Date(from).getTime(),
      ]);
      for (const [index, day] of days.entries()) {
        const until = days[index + 1]?.bucket ?? new Date(to).toISOString();
        const rows = await everything(admin, `/requests?from=${day.bucket}&to=${until}`);
        expect([day.bucket, sumOf(rows.map((row) => String(row.charge)))]).toEqual([day.bucket, day.charge]);
      }
    },
  );
});

type Item = Readonly<Record<string, unknown>>;

/** All pages of a list. */
async function everything(admin: AdminClient, path: string): Promise<Item[]> {
  const all: Item[] = [];
  for (let cursor = ""; ; ) {
    const { json } = await admin.call("GET", `${path}&limit=500${cursor === "" ? "" : `&cursor=${cursor}`}`);
    all.push(...json.data);
    if (json.next_cursor === null) return all;
    cursor = json.next_cursor;
  }
}
