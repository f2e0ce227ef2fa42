/** A month as finance reads it, in three time zones: what each page shows is what the ledger was charged, to the last digit. */
import { readFileSync } from "node:fs";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, openWindow, settled, type Visitor } from "../support/browser.ts";
import { type ConsoleServer, startConsoleServer } from "../support/console.ts";
import { columnOf, negate, sumOf } from "../support/sums.ts";

// Over a change of clocks, with a half hour between the zones, and with days that begin half a day apart.
const zones = [
  ["Europe/Berlin", "2026-10-01T00:00:00+02:00", "2026-11-01T00:00:00+01:00"],
  ["Asia/Kolkata", "2026-10-01T00:00:00+05:30", "2026-11-01T00:00:00+05:30"],
  ["Pacific/Auckland", "2026-10-01T00:00:00+13:00", "2026-11-01T00:00:00+13:00"],
] as const;
const period = "range=custom&from=2026-10-01&to=2026-10-31";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

test.each(zones)(
  "October in %s: Overview, its plot, Requests, both files and the ledger agree",
  async (timeZone, from, to) => {
    const server = await startConsoleServer({
      ...{ timeZone, from: "2026-09-28T00:00:00Z", days: 37, requests: 2_500, accounts: 5 },
    });
    const visitor = await openWindow(browser);
    try {
      const { page } = visitor;
      await page.goto(await server.gateway.createLoginUrl());
      await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
      const go = async (path: string): Promise<void> => {
        await page.goto(`${server.gateway.url}/console/#${path}`);
        await settled(page);
      };
      await go(`/?${period}`);
      expect(await page.locator(".crumb").textContent()).toContain(`(${timeZone})`);
      const overview = await firstAmount(page.locator(".tiles"));
      const usageCsv = await download(visitor, page.getByRole("region", { name: "Charged by model" }));
      await go(`/requests?${period}`);
      const requests = await firstAmount(page.locator(".total"));
      const requestsCsv = await download(visitor, page.locator("main"));
      const ledger = await chargedInLedger(server, { from, to });
      expect({
        requests,
        usageCsv: sumOf(columnOf(usageCsv, "charge")),
        days: new Set(columnOf(usageCsv, "bucket")).size,
        requestsCsv: sumOf(columnOf(requestsCsv, "charge")),
        ledger: ledger.sum,
      }).toEqual({
        requests: overview,
        usageCsv: overview,
        days: 31,
        requestsCsv: overview,
        ledger: overview,
      });
      expect(ledger.count).toBeGreaterThan(1_500);
    } finally {
      await visitor.context.close();
      await server.close();
    }
  },
);

/** The exact amount that is shown first, as programs read it. */
const firstAmount = async (place: Locator): Promise<string> =>
  (await place.locator("data.amount").first().getAttribute("value")) ?? "";

async function download({ page }: Visitor, place: Locator): Promise<string> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    place.getByRole("link", { name: "CSV" }).first().click(),
  ]);
  return readFileSync(await file.path(), "utf8");
}

/** What the ledger took from customers for requests that were admitted in the period, by way of the admin API alone. */
async function chargedInLedger(
  server: ConsoleServer,
  { from, to }: { from: string; to: string },
): Promise<{ sum: string; count: number }> {
  const admitted = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
  const requests = await everything(server, `/requests?${admitted}`);
  const settledIds = new Set(requests.filter((row) => row.state === "settled").map((row) => row.id));
  const entries = await everything(server, "/ledger/entries?ledger_account=customer");
  const charges = entries.filter((entry) => settledIds.has(entry.transaction_id));
  return { sum: negate(sumOf(charges.map((entry) => String(entry.amount)))), count: settledIds.size };
}

type Item = Readonly<Record<string, unknown>>;

async function everything(server: ConsoleServer, path: string): Promise<readonly Item[]> {
  const all: Item[] = [];
  for (let cursor = ""; ; ) {
    const answer = await fetch(
      `${server.gateway.url}/admin/v1${path}&limit=500${cursor === "" ? "" : `&cursor=${cursor}`}`,
      { headers: { authorization: "Bearer tg-adm-test-token-of-this-run" } },
    );
    const { data, next_cursor } = (await answer.json()) as { data: Item[]; next_cursor: string | null };
    all.push(...data);
    if (next_cursor === null) return all;
    cursor = next_cursor;
  }
}
