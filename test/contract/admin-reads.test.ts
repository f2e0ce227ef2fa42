import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseUsd } from "../../src/core/money.ts";
import type { Db } from "../../src/store/db.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { refusalOf, strictly } from "../support/admin-answers.ts";
import type { Books } from "../support/books.ts";
import { billed, makeBusy } from "../support/busy.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

type Record_ = { readonly [field: string]: unknown };
const ids = (rows: readonly Record_[]): unknown[] => rows.map((row) => row.id);

describe.each(databaseKinds)("what the admin API shows on %s", (kind) => {
  let db: Db;
  let books: Books;
  let admin: AdminClient;
  let call: AdminClient["call"];
  beforeAll(async () => {
    db = await newDatabase(kind);
    books = await makeBusy(db);
    admin = openAdmin(db);
    call = strictly(admin);
  });
  afterAll(async () => {
    await admin.app.close();
    await books.ledger.close();
    await db.close();
  });

  /** Every row of a list, page by page. */
  async function allRows(path: string, limit: number): Promise<Record_[]> {
    const rows: Record_[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const mark: string = path.includes("?") ? "&" : "?";
      const answer = await call(
        "GET",
        `${path}${mark}limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      expect(answer.status).toBe(200);
      rows.push(...answer.json.data);
      cursor = answer.json.next_cursor;
    }
    return rows;
  }

  describe("requests", () => {
    test("a settled request is shown with its usage, its lines and its exact charge", async () => {
      const { json } = await call("GET", "/requests/req_01");
      expect(json).toMatchObject({
        ...{
          state: "settled",
          outcome: "complete",
          account_id: "acc_a",
          key_id: "key_a",
          deployment: "mini",
          priced_as: "gpt-5-mini",
        },
        usage: {
          input: 740,
          cached_input: 370,
          output: 370,
          total: 1110,
          source: "vendor",
          method: null,
          bound: null,
          reason: null,
        },
        price_lines: [
          { kind: "output", quantity: 370, unit_price_usd: "0.001", list_price_usd: "0.0005", amount: "37" },
        ],
        ...{
          hold: "100",
          charge: "37",
          vendor_cost_usd: "0.185",
          loss_usd: "0",
          refunds: [],
          estimate: null,
        },
      });
      const booked = json.entries.map(
        (entry: { ledger_account: string; amount: string }) => `${entry.ledger_account} ${entry.amount}`,
      );
      expect(booked).toEqual(["customer -37", "earnings 37", "vendor_cost -18.5", "vendor_payable 18.5"]);
    });

    test("the charge is the sum of the lines, when the vendor billed beyond the hold too", async () => {
      const { json } = await call("GET", "/requests/req_03");
      expect(json).toMatchObject({ hold: "450", charge: "450", loss_usd: "0.1" });
      expect(
        json.price_lines.map((line: { kind: string; amount: string }) => `${line.kind} ${line.amount}`),
      ).toEqual(["output 460", "beyond_hold -10"]);
      expect(json.refunds).toMatchObject([
        { id: "tx_1", amount: "30", reason: "it was slow", actor: "owner" },
      ]);
      expect(json.entries.filter((entry: { kind: string }) => entry.kind === "refund")).toHaveLength(2);
    });

    test("open, released and refused requests say what is known and no more", async () => {
      expect((await call("GET", "/requests/req_10")).json).toMatchObject({
        ...{
          state: "open",
          outcome: null,
          usage: null,
          charge: null,
          vendor_cost_usd: null,
          settled_at: null,
          hold: "1999",
          entries: [],
        },
      });
      expect((await call("GET", "/requests/req_06")).json).toMatchObject({
        state: "released",
        charge: "0",
        price_lines: [],
      });
      expect((await call("GET", "/requests/req_07")).json).toMatchObject({
        state: "refused",
        refusal: "insufficient_funds",
        required: "50000",
      });
    });

    test.each([
      [
        "",
        ["req_10", "req_09", "req_08", "req_07", "req_06", "req_05", "req_04", "req_03", "req_02", "req_01"],
      ],
      ["account=acc_a", ["req_09", "req_03", "req_02", "req_01"]],
      ["key=key_b", ["req_08", "req_04"]],
      ["account=acc_b&key=key_a", []],
      ["model=gpt-4o", ["req_03"]],
      ["model=gpt-5-mini&account=acc_a", ["req_09", "req_03", "req_02", "req_01"]],
      ["endpoint=azure", ["req_02"]],
      ["status=open", ["req_10", "req_09"]],
      ["status=refused", ["req_07"]],
      ["status=complete&account=acc_b&source=vendor", ["req_08", "req_05", "req_04"]],
      ["source=estimated", ["req_02"]],
      ["to=2020-01-01T00:00:00Z", []],
      ["from=2100-01-01T00:00:00Z", []],
    ])("the filter %s finds what it says", async (query, expected) => {
      expect(ids((await call("GET", `/requests?${query}`)).json.data)).toEqual(expected);
    });
  });

  test.each([
    "/requests",
    "/accounts",
    "/ledger/entries",
    "/accounts/acc_a/grants",
    "/usage?bucket=hour&group_by=account,model,endpoint,key",
    "/prices",
  ])("%s is the same list in pages of any size", async (path) => {
    const whole = await allRows(path, 500);
    expect(whole.length).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 7 }), async (limit) => {
        expect(await allRows(path, limit)).toEqual(whole);
      }),
      { numRuns: 4 },
    );
  });

  test("the last page says so, when it is full too", async () => {
    const { json } = await call("GET", "/requests?limit=10");
    expect([json.data.length, json.next_cursor]).toEqual([10, null]);
  });

  describe("CSV", () => {
    const readCsv = (text: string): Record<string, string>[] => {
      const [head, ...lines] = text.trimEnd().split("\r\n").map(readLine);
      return lines.map((line) =>
        Object.fromEntries((head ?? []).map((name, index) => [name, line[index] ?? ""])),
      );
    };
    const sum = (rows: readonly Record_[], field: string): bigint =>
      rows.reduce(
        (total, row) =>
          total + (row[field] === "" || row[field] === null ? 0n : parseUsd(String(row[field]))),
        0n,
      );

    test.each([
      ["/requests", ["charge", "hold", "vendor_cost_usd", "loss_usd"]],
      ["/ledger/entries", ["amount", "amount_usd"]],
      ["/accounts/acc_a/grants", ["amount", "remaining"]],
      ["/usage?group_by=account,model,endpoint,key", ["charge", "vendor_cost_usd", "loss_usd"]],
    ])("%s has the same rows and totals as JSON", async (path, fields) => {
      const rows = await allRows(path, 500);
      const mark = path.includes("?") ? "&" : "?";
      const csv = await call("GET", `${path}${mark}format=csv`);
      expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
      const lines = readCsv(csv.text);
      expect(lines).toHaveLength(rows.length);
      for (const field of fields) expect([field, sum(lines, field)]).toEqual([field, sum(rows, field)]);
    });

    test("the Accept header asks for CSV as well; nested names are joined, unknown is empty", async () => {
      const { text } = await call("GET", "/requests?status=open&account=acc_a", {
        headers: { accept: "text/csv" },
      });
      expect(readCsv(text)).toMatchObject([
        { id: "req_09", state: "open", hold: "70", charge: "", usage_input: "", price_lines: "[]" },
      ]);
      const json = await call("GET", "/requests", { headers: { accept: "application/json, text/csv" } });
      expect(json.headers["content-type"]).toMatch(/json/);
    });

    test("more rows than a page of the database come in one answer, and `limit` cuts them", async () => {
      const account = `acc_${kind}_many`;
      await books.account(account);
      await db.query(
        `select ledger_grant(json_build_object('id', 'grt_${kind}_' || n, 'account_id', $1::text, 'kind', 'paid', 'amount', '1'))
        from generate_series(1, 1203) n`,
        [account],
      );
      expect(readCsv((await call("GET", `/accounts/${account}/grants?format=csv`)).text)).toHaveLength(1203);
      expect(readCsv((await call("GET", `/accounts/${account}/grants?format=csv&limit=501`)).text)).toEqual(
        [],
      );
      expect(
        readCsv((await call("GET", `/accounts/${account}/grants?format=csv&limit=7`)).text),
      ).toHaveLength(7);
    });

    test("a name that a spreadsheet would run as a formula is text", async () => {
      await call("POST", "/accounts", {
        body: { name: '=HYPERLINK("http://x","a")', external_id: "formula" },
      });
      const { text } = await call("GET", "/accounts?external_id=formula&format=csv");
      expect(text).toContain(`"'=HYPERLINK(""http://x"",""a"")"`);
    });
  });

  describe("refunds", () => {
    test("part of a charge, then the rest, then no more", async () => {
      const path = "/requests/req_04/refunds";
      const part = await call("POST", path, { body: { amount: "4", reason: "half of it was empty" } });
      expect([part.status, part.json]).toMatchObject([
        201,
        { kind: "refund", amount: "4", account_id: "acc_b", request_id: "req_04" },
      ]);
      expect(
        part.json.entries.map(
          (entry: Record_) => `${entry.ledger_account} ${entry.amount} ${entry.corrects}`,
        ),
      ).toEqual(["customer 4 req_04", "earnings -4 req_04"]);
      expect(refusalOf(await call("POST", path, { body: { amount: "6.1", reason: "x" } }))).toBe(
        "400 refund_exceeds_charge amount",
      );
      expect((await call("POST", path, { body: { reason: "the rest" } })).json.amount).toBe("6");
      expect(refusalOf(await call("POST", path, { body: { reason: "again" } }))).toBe(
        "400 refund_exceeds_charge amount",
      );
      const shown = await call("GET", "/requests/req_04");
      expect(shown.json.refunds.map((one: Record_) => [one.amount, one.reason, one.actor])).toEqual([
        ["4", "half of it was empty", "owner"],
        ["6", "the rest", "owner"],
      ]);
    });

    test.each(["req_06", "req_07", "req_10"])("%s was not charged and cannot be refunded", async (id) => {
      expect(refusalOf(await call("POST", `/requests/${id}/refunds`, { body: { reason: "x" } }))).toBe(
        "409 not_refundable id",
      );
    });
  });

  describe("usage", () => {
    test("buckets add up to the totals and to the requests", async () => {
      const { json } = await call("GET", "/usage?bucket=hour&group_by=account,model,endpoint,key");
      const settled = (await allRows("/requests?status=settled", 500)) as {
        charge: string;
        vendor_cost_usd: string;
      }[];
      const total = (rows: readonly Record_[], field: string): bigint =>
        rows.reduce((sum, row) => sum + parseUsd(String(row[field])), 0n);
      expect(total(json.data, "charge")).toBe(total(settled, "charge"));
      expect(total(json.data, "vendor_cost_usd")).toBe(parseUsd(json.totals.vendor_cost_usd));
      expect(json.totals).toMatchObject({
        requests: settled.length,
        by_source: { vendor: 5, estimated: 1, none: 0 },
      });
    });

    test("one group, one filter, no group", async () => {
      const byModel = await call("GET", "/usage?group_by=model&account=acc_a");
      expect(byModel.json.data.map((row: Record_) => `${row.model} ${row.charge} ${row.account_id}`)).toEqual(
        ["gpt-4o 450 null", "gpt-5-mini-2025-08-07 127 null"],
      );
      const all = await call("GET", "/usage?account=acc_a");
      expect(all.json.data).toMatchObject([{ charge: "577", requests: 3, model: null, key_id: null }]);
    });

    test("a period that cuts hours, in any zone, counts each request once", async () => {
      const account = `acc_${kind}_zones`;
      await books.account(account, [{ id: `grt_${account}`, usd: "100" }]);
      const times = [
        "2026-03-28T18:29:59Z",
        "2026-03-28T18:30:00Z",
        "2026-03-29T00:59:59Z",
        "2026-03-29T01:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
      ];
      for (const [index, at] of times.entries()) {
        const id = `req_${kind}_z${index}`;
        await books.hold(id, account, "1");
        await db.query("update holds set created_at = $2 where id = $1", [id, at]);
        await books.settle(id, account, "0", billed(1));
      }
      const buckets = async (query: string): Promise<string[]> => {
        const { json } = await call("GET", `/usage?account=${account}&${query}`);
        return json.data.map((row: Record_) => `${row.bucket} ${row.requests}`);
      };
      // Berlin goes to summer time at 01:00 UTC on the 29th: that day has 23 hours.
      expect(await buckets("tz=Europe/Berlin")).toEqual([
        "2026-03-27T23:00:00.000Z 2",
        "2026-03-28T23:00:00.000Z 3",
        "2026-03-29T22:00:00.000Z 1",
      ]);
      // India's days start at half past six in the evening of UTC.
      expect(await buckets("tz=Asia/Kolkata")).toEqual([
        "2026-03-27T18:30:00.000Z 1",
        "2026-03-28T18:30:00.000Z 3",
        "2026-03-29T18:30:00.000Z 2",
      ]);
      expect(await buckets("bucket=hour&tz=Asia/Kolkata&to=2026-03-29T00:00:00Z")).toEqual([
        "2026-03-28T17:30:00.000Z 1",
        "2026-03-28T18:30:00.000Z 1",
      ]);
      expect(await buckets("bucket=hour&from=2026-03-28T18:30:00Z&to=2026-03-29T22:00:00Z")).toEqual([
        "2026-03-28T18:00:00.000Z 1",
        "2026-03-29T00:00:00.000Z 1",
        "2026-03-29T01:00:00.000Z 1",
        "2026-03-29T21:00:00.000Z 1",
      ]);
      expect(await buckets("bucket=hour&from=2026-03-28T18:29:59Z&to=2026-03-28T18:30:00Z")).toEqual([
        "2026-03-28T18:00:00.000Z 1",
      ]);
      await fc.assert(
        fc.asyncProperty(fc.tuple(fc.nat(100_000), fc.nat(100_000)), async ([one, other]) => {
          const start = Date.parse("2026-03-28T18:00:00Z");
          const [from, to] = [Math.min(one, other), Math.max(one, other)].map(
            (seconds) => start + seconds * 1000,
          ) as [number, number];
          const inside = times.filter((at) => Date.parse(at) >= from && Date.parse(at) < to).length;
          const period = `account=${account}&from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
          for (const tz of ["UTC", "Asia/Kathmandu"]) {
            const { json } = await call("GET", `/usage?${period}&tz=${tz}`);
            expect(json.totals.requests).toBe(inside);
            expect(json.data.reduce((sum: number, row: Record_) => sum + Number(row.requests), 0)).toBe(
              inside,
            );
          }
        }),
        { numRuns: 15 },
      );
    });
  });

  test("GET /ledger/verify proves the books after all of this", async () => {
    const { json } = await call("GET", "/ledger/verify");
    expect(json.checks.filter((check: Record_) => check.ok !== true)).toEqual([]);
    expect(json.ok).toBe(true);
  });

  test("GET /ledger/verify names the first row of a broken check", async () => {
    await db.query("update balances set posted = posted + 1 where account_id = 'acc_c'");
    const { json } = await call("GET", "/ledger/verify");
    await db.query("update balances set posted = posted - 1 where account_id = 'acc_c'");
    const bad = json.checks.filter((check: Record_) => check.ok !== true);
    expect([json.ok, bad[0]]).toMatchObject([
      false,
      { name: "posted_equals_entries", first_bad: { account_id: "acc_c", posted: "1", entries: "0" } },
    ]);
  });
});

/** One line of RFC 4180 without line breaks inside cells. */
function readLine(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
    .slice(0, -1)
    .map(([, cell = ""]) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
}
