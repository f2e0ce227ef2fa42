/** Every page of the console as people meet it: in both themes, for those who see and those who do not, on every page's numbers. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, openWindow, seriousFindings, settled, type Visitor } from "../support/browser.ts";
import { type ConsoleServer, startConsoleServer } from "../support/console.ts";
import { sumOf } from "../support/sums.ts";

let server: ConsoleServer;
let browser: Browser;
let requestId: string;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startConsoleServer();
  const { gateway, customer } = server;
  const body = {
    model: "gpt-5-mini",
    stream: true,
    max_tokens: 300,
    messages: [{ role: "user", content: "What does a toll gate do?" }],
  };
  await (await gateway.post("/v1/chat/completions", customer.key, body)).text();
  requestId = (await gateway.records(customer.accountId))[0]?.id ?? "";
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const pages = (): Readonly<Record<string, string>> => ({
  Overview: "/?range=30d",
  Requests: "/requests?range=7d",
  Request: `/requests/${requestId}`,
  Accounts: "/accounts",
  Account: "/accounts/acc_000000?range=30d",
  Keys: "/keys",
  Ledger: "/ledger?range=7d",
  Prices: "/prices",
  Endpoints: "/endpoints",
  Estimation: "/estimation?range=30d",
  Playground: "/playground",
  Settings: "/settings",
});

async function enter(theme: "light" | "dark"): Promise<Visitor> {
  const visitor = await openWindow(browser, { theme });
  await visitor.page.goto(await server.gateway.createLoginUrl());
  await visitor.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  // Before the login the door asks who is there, and is told: nobody.
  visitor.troubles.length = 0;
  return visitor;
}
const at = (visitor: Visitor, path: string) => visitor.page.goto(`${server.gateway.url}/console/#${path}`);

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test("every page shows itself without an error, asks at most six things, and has no serious finding of axe", async () => {
    const visitor = await enter(theme);
    const found: string[] = [];
    for (const [name, path] of Object.entries(pages())) {
      await at(visitor, "/nowhere");
      await settled(visitor.page);
      visitor.asked.length = 0;
      await at(visitor, path);
      await settled(visitor.page);
      if (visitor.asked.length > 6)
        found.push(`${name} asks ${visitor.asked.length} things: ${visitor.asked.join(" ")}`);
      found.push(...(await seriousFindings(visitor.page)).map((line) => `${name}: ${line}`));
    }
    expect([...found, ...visitor.troubles]).toEqual([]);
    await visitor.context.close();
  });
});

describe("figures", () => {
  let visitor: Visitor;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers as a client would, without types.
  const api = async (path: string): Promise<any> => {
    const answer = await fetch(`${server.gateway.url}/admin/v1${path}`, {
      headers: { authorization: "Bearer tg-adm-test-token-of-this-run" },
    });
    return answer.json();
  };
  /** The exact amounts on the page, as programs read them. */
  const amounts = (selector: string): Promise<string[]> =>
    visitor.page
      .locator(`${selector} data.amount`)
      .evaluateAll((all) => all.map((one) => one.getAttribute("value") ?? ""));
  const asked = (path: string): string =>
    visitor.asked.find((one) => one.startsWith(`/admin/v1${path}`))?.replace("/admin/v1", "") ?? "";

  beforeAll(async () => {
    visitor = await enter("light");
  });
  afterAll(() => visitor.context.close());
  const go = async (path: string): Promise<void> => {
    await at(visitor, "/nowhere");
    await settled(visitor.page);
    visitor.asked.length = 0;
    await at(visitor, path);
    await settled(visitor.page);
  };

  test("the Overview's sums are the API's, exactly", async () => {
    await go("/?range=30d");
    const { current } = await api(asked("/overview"));
    expect((await amounts(".tiles")).slice(0, 4)).toEqual([
      current.charge,
      current.charge_usd,
      current.vendor_cost_usd,
      current.margin_usd,
    ]);
  });

  test("a plot's table adds up to the sum above it", async () => {
    await go("/accounts/acc_000000?range=30d");
    const total = (await amounts(".figure-card .note"))[0];
    const { totals, data } = await api(asked("/usage"));
    expect([total, sumOf(data.map((row: { charge: string }) => row.charge))]).toEqual([
      totals.charge,
      totals.charge,
    ]);
  });

  test("the Requests page counts what the ledger was charged for the period", async () => {
    await go("/requests?range=30d");
    const { totals } = await api(asked("/usage"));
    expect(await amounts(".total")).toEqual([totals.charge]);
  });

  test("price lines add up to the charge, and entries to zero, on the page itself", async () => {
    await go(`/requests/${requestId}`);
    const request = await api(`/requests/${requestId}`);
    const lines = visitor.page.locator("section.card", { hasText: "Price lines" }).last();
    expect(await lines.locator("tfoot data").getAttribute("value")).toBe(request.charge);
    expect(await visitor.page.getByText("adds up").count()).toBe(1);
    expect(await visitor.page.getByText("sums to 0").count()).toBe(1);
    const [charge] = await amounts(".tiles");
    expect(charge).toBe(request.charge);
  });

  test("an account's balance less what is held is what is available, to the last digit", async () => {
    await go("/accounts/acc_000000");
    const [posted = "", held = "", available = ""] = await amounts(".equation");
    const { balance } = await api("/accounts/acc_000000");
    expect([posted, held, available]).toEqual([balance.posted, balance.held, balance.available]);
    expect(sumOf([held, available])).toBe(posted);
  });

  test("every time axis names the zone that the figures are of", async () => {
    await go("/?range=30d");
    expect(await visitor.page.locator(".axis-name").allTextContents()).toEqual(
      Array(4).fill("Europe/Berlin"),
    );
  });

  test("the CSV of a view has the rows of the view", async () => {
    await go("/requests?range=30d&source=estimated");
    const [download] = await Promise.all([
      visitor.page.waitForEvent("download"),
      visitor.page.getByRole("link", { name: "CSV" }).click(),
    ]);
    const { readFileSync } = await import("node:fs");
    const lines = readFileSync(await download.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    let count = 0;
    for (let cursor = ""; ; ) {
      const page = await api(
        `${asked("/requests").replace("limit=50", "limit=500")}${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      count += page.data.length;
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect([lines[0]?.startsWith("id,account_id"), lines.length - 1]).toEqual([true, count]);
  });
});
