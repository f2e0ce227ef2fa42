/** People at work in the console, behind a proxy that puts a prefix of two segments before it. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, openWindow, seriousFindings, settled, type Visitor } from "../support/browser.ts";
import { type ConsoleServer, startConsoleServer, startPrefixProxy } from "../support/console.ts";

let server: ConsoleServer;
let proxy: Awaited<ReturnType<typeof startPrefixProxy>>;
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startConsoleServer({ requests: 600, accounts: 3 });
  proxy = await startPrefixProxy(server.gateway.url, "/ops/tollgate");
});
afterAll(async () => {
  await browser.close();
  await proxy.close();
  await server.close();
});

const loginUrl = async (): Promise<string> =>
  (await server.gateway.createLoginUrl()).replace(server.gateway.url, proxy.url);

async function enter(width?: number): Promise<Visitor> {
  const visitor = await openWindow(browser, width === undefined ? {} : { width });
  await visitor.page.goto(await loginUrl());
  await visitor.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  visitor.troubles.length = 0;
  return visitor;
}
const open = async (page: Page, path: string): Promise<void> => {
  await page.goto(`${proxy.url}/console/#${path}`);
  await settled(page);
};
const ask = (model = "gpt-5-chat"): Promise<Response> =>
  server.gateway.post("/v1/chat/completions", server.customer.key, {
    model,
    stream: true,
    messages: [{ role: "user", content: "Hello" }],
  });

describe("the door", () => {
  test("a one-time address opens once; it leaves no secret in the address or the history", async () => {
    const url = await loginUrl();
    const first = await openWindow(browser);
    await first.page.goto(url);
    await first.page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(first.page.url()).toBe(`${proxy.url}/console/#/`);
    await first.page.goBack();
    expect(first.page.url()).not.toContain("link=");
    const second = await openWindow(browser);
    await second.page.goto(url);
    await second.page.getByText("no valid login link").waitFor();
    await first.context.close();
    await second.context.close();
  });

  test("an admin token opens it by hand, and logging out closes it", async () => {
    const { page, context } = await openWindow(browser);
    await page.goto(`${proxy.url}/console/#/accounts`);
    await page.getByLabel("Admin token").fill("tg-adm-wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("no valid login link or admin token").waitFor();
    await page.getByLabel("Admin token").fill("tg-adm-test-token-of-this-run");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Admin token").waitFor();
    await page.reload();
    await page.getByLabel("Admin token").waitFor();
    expect((await context.cookies()).filter((cookie) => cookie.value !== "")).toEqual([]);
    await context.close();
  });

  test("the cookie is out of reach of scripts and of other sites", async () => {
    const { context } = await enter();
    expect(await context.cookies()).toMatchObject([{ httpOnly: true, sameSite: "Strict", path: "/" }]);
    await context.close();
  });
});

test("an operator opens an account, grants credit, makes a key, uses it, refunds and freezes, without a mouse where it matters", async () => {
  const { page, context, troubles } = await enter();
  await open(page, "/accounts");
  await page.getByRole("button", { name: "New account" }).press("Enter");
  await page.getByLabel("Name", { exact: true }).fill("Nimbus");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Nimbus" }).waitFor();
  await page.getByRole("button", { name: "Grant credit" }).click();
  await page.getByLabel("Credits").fill("12.5000000001");
  await page.getByLabel("Reference").fill("invoice 7");
  await page.getByRole("button", { name: "Grant", exact: true }).click();
  await page.locator(".equation .result").getByText("12.5000000001").waitFor();
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name", { exact: true }).fill("laptop");
  await page.getByRole("button", { name: "Make key" }).click();
  const secret = (await page.getByRole("region", { name: "Secret" }).textContent())?.trim();
  expect(secret).toMatch(/^sk-tg-live-[0-9A-Za-z]{38}$/);
  await page.keyboard.press("Escape");
  expect(await page.content()).not.toContain(secret);
  const body = { model: "gpt-5-chat", messages: [{ role: "user", content: "Hello" }] };
  const answer = await fetch(`${proxy.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  const charge = answer.headers.get("x-tollgate-charge");
  await open(page, `/requests/${answer.headers.get("x-request-id")}`);
  expect(await page.locator(".tiles data").first().getAttribute("value")).toBe(charge);
  await page.getByRole("button", { name: "Refund…" }).click();
  await page.getByLabel("Reason").fill("goodwill");
  await page.getByRole("button", { name: "Refund", exact: true }).click();
  await page.getByRole("cell", { name: "Refund" }).first().waitFor();
  await page.getByRole("link", { name: "Nimbus" }).click();
  await page.locator(".equation .result").getByText("12.5000000001").waitFor();
  await page.getByRole("button", { name: "Freeze" }).click();
  await page.getByText("frozen").waitFor();
  expect(troubles).toEqual([]);
  await context.close();
});

test("a refusal is told in the server's own words, and what was typed stays", async () => {
  const { page, context } = await enter();
  await open(page, "/accounts/acc_000000");
  await page.getByRole("button", { name: "Grant credit" }).click();
  await page.getByLabel("Credits").fill("a lot");
  await page.getByRole("button", { name: "Grant", exact: true }).click();
  await page.getByRole("alert").getByText("is not a plain decimal number").waitFor();
  expect(await page.getByLabel("Credits").inputValue()).toBe("a lot");
  await context.close();
});

test("the keyboard alone goes from page to page, along a plot, into a dialog and back out", async () => {
  const { page, context } = await enter();
  await settled(page);
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("Skip to the page");
  await page.keyboard.press("Enter");
  expect(await page.evaluate("document.activeElement.id")).toBe("main");
  const plot = page.getByRole("slider", { name: /Charged by model/ });
  await plot.focus();
  await page.keyboard.press("End");
  const last = await plot.getAttribute("aria-valuetext");
  await page.keyboard.press("ArrowLeft");
  expect([last, await plot.getAttribute("aria-valuetext")]).not.toContain("No place chosen");
  expect(await plot.getAttribute("aria-valuetext")).not.toBe(last);
  await page.getByRole("button", { name: "Charged by model as a table" }).press("Enter");
  await page.getByRole("region", { name: "Charged by model" }).getByRole("table").waitFor();
  await page.getByRole("link", { name: "Accounts" }).press("Enter");
  await page.getByRole("heading", { name: "Accounts", level: 1 }).waitFor();
  await page.getByRole("button", { name: "New account" }).press("Enter");
  expect(await page.evaluate("document.querySelector('dialog').contains(document.activeElement)")).toBe(true);
  await page.keyboard.press("Escape");
  await page.locator("dialog").waitFor({ state: "detached" });
  expect(await focused(page)).toBe("New account");
  await context.close();
});

const focused = (page: Page): Promise<unknown> => page.evaluate("document.activeElement.innerText.trim()");

test("the live tail shows a request as it begins and ends, over one stream, only while it is asked for", async () => {
  const { page, context, asked, troubles } = await enter();
  await open(page, `/requests?account=${server.customer.accountId}`);
  const rows = page.getByRole("region", { name: "Requests, newest first" }).locator("tbody tr");
  const before = await rows.count();
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByRole("status").getByText("Live").waitFor();
  asked.length = 0;
  await (await ask()).text();
  await expect.poll(() => rows.count(), { timeout: 10_000 }).toBe(before + 1);
  await rows.first().getByText("complete").waitFor();
  expect(asked).toEqual([]);
  await page.getByRole("button", { name: "Live" }).click();
  expect(await page.getByRole("status").getByText("Live").count()).toBe(0);
  expect(troubles).toEqual([]);
  await context.close();
});

test("the page of a request that runs says what is not known yet, and then by itself what it cost", async () => {
  const { page, context, troubles } = await enter();
  const messages = [{ role: "user", content: "Hello [[sim:tokens=20 fault=slow]]" }];
  const body = { model: "gpt-5-chat", stream: true, messages };
  const running = server.gateway.post("/v1/chat/completions", server.customer.key, body);
  await open(page, `/requests?status=open&account=${server.customer.accountId}`);
  await page.locator("tbody").getByRole("link", { name: /^req_/ }).first().click();
  await page.getByText("pending").waitFor();
  expect(await page.getByText("Not known yet").count()).toBe(4);
  expect(await page.locator("main").textContent()).not.toMatch(/No tokens|No vendor|No money/);
  await (await running).text();
  await page.getByText("adds up").waitFor();
  expect(await page.getByText("Not known yet").count()).toBe(0);
  expect(troubles).toEqual([]);
  await context.close();
});

test("filters live in the address, so that a view can be sent to somebody", async () => {
  const { page, context } = await enter();
  await open(page, "/requests?range=30d");
  await page.getByLabel("Outcome").selectOption("vendor_error");
  await settled(page);
  await page.getByLabel("Model").fill("gpt-5-mini");
  await page.getByRole("button", { name: "Filter" }).click();
  await settled(page);
  expect(page.url()).toContain("status=vendor_error");
  expect(page.url()).toContain("model=gpt-5-mini");
  const shown = await page.locator("tbody .badge").allInnerTexts();
  expect(new Set(shown)).toEqual(new Set(["vendor error", "nothing billed"]));
  await page.reload();
  await settled(page);
  expect(await page.locator("tbody .badge").allInnerTexts()).toEqual(shown);
  await context.close();
});

test("the ledger proves itself on demand", async () => {
  const { page, context } = await enter();
  await open(page, "/ledger");
  await page.getByRole("button", { name: "Verify now" }).click();
  await page.getByText("the books are sound").waitFor();
  await context.close();
});

test("a probe says what it costs before it is made, and then what it found", async () => {
  const { page, context } = await enter();
  await open(page, "/endpoints");
  await page.getByRole("button", { name: "Probe gpt-5-mini" }).click();
  await page.getByText("Together they cost at most").waitFor();
  await page.getByRole("button", { name: "Probe now" }).click();
  await page.getByText("requests cost").waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("in place of").first().waitFor();
  await context.close();
});

test("the playground asks a model as a customer would, and shows hold and charge", async () => {
  const { page, context, troubles } = await enter();
  await open(page, "/playground");
  await page.getByLabel("Account").selectOption({ label: "acme" });
  await page.getByLabel("Model").selectOption("gpt-4o-mini");
  await page.getByRole("button", { name: "Send" }).click();
  const tile = page.locator(".tile", { hasText: "Charged" });
  await tile.getByText("exact").waitFor();
  const charge = (await tile.locator("data").getAttribute("value")) ?? "";
  await page.getByRole("link", { name: "Why this amount?" }).click();
  await settled(page);
  expect(await page.locator(".tiles data").first().getAttribute("value")).toBe(charge);
  expect(troubles).toEqual([]);
  await context.close();
});

test("a viewer sees everything and finds no button that would be refused", async () => {
  const made = await fetch(`${server.gateway.url}/admin/v1/tokens`, {
    method: "POST",
    headers: { authorization: "Bearer tg-adm-test-token-of-this-run", "content-type": "application/json" },
    body: JSON.stringify({ name: "auditor", role: "viewer" }),
  });
  const { secret } = (await made.json()) as { secret: string };
  const { page, context, troubles } = await openWindow(browser);
  await page.goto(`${proxy.url}/console/`);
  await page.getByLabel("Admin token").fill(secret);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  troubles.length = 0;
  for (const path of [
    "/accounts",
    "/accounts/acc_000000",
    "/keys",
    "/prices",
    "/endpoints",
    "/settings",
    "/playground",
  ]) {
    await open(page, path);
    expect([
      path,
      await page
        .getByRole("button", { name: /^(New |Grant|Void|Freeze|Thaw|Rotate|Revoke|Publish|Probe|Send)/ })
        .count(),
    ]).toEqual([path, 0]);
  }
  expect(troubles).toEqual([]);
  await context.close();
});

test("a customer's page shows one account for a while, without what the vendor bills", async () => {
  const operator = await enter();
  await open(operator.page, `/accounts/${server.customer.accountId}`);
  await operator.page.getByRole("button", { name: "Customer's page…" }).click();
  await operator.page.getByRole("button", { name: "Make address" }).click();
  const region = operator.page.getByRole("region", { name: "Address of the customer's page" });
  const address = (await region.textContent())?.trim() ?? "";
  expect(address).toMatch(new RegExp(`^${proxy.url}/portal/#token=tg-prt-`));
  const charge = (await ask("gpt-4o-mini")).text();
  await charge;
  const customer = await openWindow(browser);
  await customer.page.goto(address);
  await settled(customer.page);
  await customer.page.getByRole("heading", { name: "acme" }).waitFor();
  expect(customer.page.url()).toBe(`${proxy.url}/portal/#`);
  const { available } = (await server.gateway.store.accounts.find(server.customer.accountId))?.balance ?? {
    available: 0n,
  };
  const shown = (await customer.page.locator(".equation .result data").getAttribute("value")) ?? "";
  expect(shown).toBe(credits(available));
  expect(await customer.page.locator("body").textContent()).not.toMatch(/vendor cost|margin|azure-|list/i);
  expect(await seriousFindings(customer.page)).toEqual([]);
  await customer.page
    .getByRole("button", { name: /^Receipt of/ })
    .first()
    .click();
  await customer.page.getByRole("dialog").getByText("Charge, credits").waitFor();
  await customer.page.reload();
  await customer.page.getByRole("heading", { name: "acme" }).waitFor();
  expect(customer.troubles).toEqual([]);
  await customer.context.close();
  await operator.context.close();
});

/** pUSD as credits of a cent, as the API writes them. */
function credits(pico: bigint): string {
  const digits = pico.toString().padStart(11, "0");
  const fraction = digits.slice(-10).replace(/0+$/, "");
  return `${digits.slice(0, -10)}${fraction === "" ? "" : `.${fraction}`}`;
}

test("a narrow window shows every page without scrolling sideways", async () => {
  const { page, context } = await enter(390);
  const wide: string[] = [];
  for (const path of [
    "/",
    "/requests",
    "/accounts",
    "/accounts/acc_000000",
    "/keys",
    "/ledger",
    "/prices",
    "/endpoints",
    "/estimation",
    "/playground",
    "/settings",
  ]) {
    await open(page, path);
    const overflow = (await page.evaluate(
      "document.documentElement.scrollWidth - window.innerWidth",
    )) as number;
    if (overflow > 0) wide.push(`${path} by ${overflow} px`);
  }
  expect(wide).toEqual([]);
  await page.getByRole("button", { name: "Pages" }).click();
  await page.getByRole("link", { name: "Keys" }).click();
  await page.getByRole("heading", { name: "Keys", level: 1 }).waitFor();
  await context.close();
});
