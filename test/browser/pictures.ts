/**
 * Takes the pictures of docs/images: every page of the console, from a generated month and the demo's traffic on top of it.
 * Run by `node scripts/screenshots.mjs`; not one of the tests.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoRequests } from "../../src/simulator/demo-traffic.ts";
import { launchBrowser, openWindow, settled } from "../support/browser.ts";
import { type ConsoleServer, startConsoleServer } from "../support/console.ts";
import { smallPng } from "../support/small-png.ts";

const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const width = 1200;
/** Longer pages are cut: what is below is more of the same. */
const heightMost = 1_700;
const bytesMost = 150_000;

let server: ConsoleServer;
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await startConsoleServer({ days: 61, requests: 9_000 });
  for (const { body } of demoRequests(8402, 40))
    await (await server.gateway.post("/v1/chat/completions", server.customer.key, body)).text();
}, 300_000);
afterAll(async () => {
  await browser.close();
  await server.close();
});

interface Shot {
  readonly name: string;
  readonly path: string;
  readonly heightMost?: number;
  readonly prepare?: (page: Page) => Promise<void>;
}

const shots = (requestId: string): readonly Shot[] => [
  { name: "overview", path: "/?range=30d" },
  { name: "requests", path: "/requests?range=7d", heightMost: 900 },
  { name: "request", path: `/requests/${requestId}`, heightMost: 1_950 },
  { name: "accounts", path: "/accounts" },
  { name: "account", path: "/accounts/acc_000002?range=30d", heightMost: 1_250 },
  { name: "keys", path: "/keys", heightMost: 800 },
  {
    name: "ledger",
    path: "/ledger?range=24h",
    heightMost: 1_650,
    prepare: async (page) => {
      await page.getByRole("button", { name: "Verify now" }).click();
      await page.getByText("the books are sound").waitFor();
    },
  },
  { name: "prices", path: "/prices", heightMost: 900 },
  {
    name: "endpoints",
    path: "/endpoints",
    prepare: async (page) => {
      await page.getByRole("button", { name: "Probe gpt-5-mini" }).click();
      await page.getByRole("button", { name: "Probe now" }).click();
      await page.getByText("requests cost").waitFor();
      await page.keyboard.press("Escape");
      await page.getByText("in place of").first().waitFor();
    },
  },
  { name: "estimation", path: "/estimation?range=30d" },
  {
    name: "playground",
    path: "/playground",
    prepare: async (page) => {
      await page.getByLabel("Account").selectOption({ label: "acme" });
      await page.getByLabel("Model").selectOption("gpt-5-mini");
      await page.getByRole("button", { name: "Send" }).click();
      await page.locator(".tile", { hasText: "Charged" }).getByText("exact").waitFor();
    },
  },
  { name: "settings", path: "/settings", heightMost: 1_100 },
];

/** One whose parameter was renamed, which has cached and reasoning tokens, and a charge to explain. */
async function requestToExplain(): Promise<string> {
  const story = "The barge came up the river at dawn with salt and iron. ".repeat(160);
  const body = {
    model: "gpt-5-mini",
    stream: true,
    max_tokens: 900,
    messages: [
      { role: "system", content: story },
      { role: "user", content: "What does a toll gate do?" },
    ],
  };
  const ask = async (): Promise<void> => {
    await (await server.gateway.post("/v1/chat/completions", server.customer.key, body)).text();
  };
  await ask();
  await ask();
  return (await server.gateway.records(server.customer.accountId))[0]?.id ?? "";
}

test("every page is pictured, in less than 150 kB each", async () => {
  mkdirSync(folder, { recursive: true });
  const requestId = await requestToExplain();
  const sizes: Record<string, number> = {};
  for (const theme of ["light", "dark"] as const) {
    const { page, context, troubles } = await openWindow(browser, { theme, width });
    await page.goto(await server.gateway.createLoginUrl());
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    troubles.length = 0;
    for (const shot of shots(requestId)) {
      if (theme === "dark" && !["overview", "request"].includes(shot.name)) continue;
      await page.goto(`${server.gateway.url}/console/#${shot.path}`);
      await settled(page);
      await shot.prepare?.(page);
      await settled(page);
      const name = theme === "dark" ? `${shot.name}-dark` : shot.name;
      sizes[name] = await take(page, name, shot.heightMost ?? heightMost);
    }
    expect(troubles).toEqual([]);
    await context.close();
  }
  sizes["login"] = await takeAlone("login", `${server.gateway.url}/console/`);
  sizes["portal"] = await takeAlone("portal", await portalAddress());
  process.stdout.write(
    `${Object.entries(sizes)
      .map(([name, size]) => `${name} ${Math.round(size / 1_000)} kB`)
      .join("\n")}\n`,
  );
  expect(Object.entries(sizes).filter(([, size]) => size > bytesMost)).toEqual([]);
}, 300_000);

async function takeAlone(name: string, address: string): Promise<number> {
  const { page, context } = await openWindow(browser, { width });
  await page.goto(address);
  await settled(page);
  const size = await take(page, name, name === "login" ? 560 : 1_250);
  await context.close();
  return size;
}

async function portalAddress(): Promise<string> {
  const answer = await fetch(`${server.gateway.url}/admin/v1/accounts/acc_000002/portal-tokens`, {
    method: "POST",
    headers: { authorization: "Bearer tg-adm-test-token-of-this-run", "content-type": "application/json" },
    body: "{}",
  });
  const { token } = (await answer.json()) as { token: string };
  return `${server.gateway.url}/portal/#token=${token}`;
}

/** The window becomes as high as the page, so that what sticks to its edges is drawn to the end. */
async function take(page: Page, name: string, most: number): Promise<number> {
  await page.evaluate("document.activeElement?.blur()");
  const height = (await page.evaluate("document.documentElement.scrollHeight")) as number;
  await page.setViewportSize({ width, height: Math.min(height, most) });
  await settled(page);
  await page.waitForTimeout(150);
  const picture = smallPng(await pointsOf(page, await page.screenshot()));
  writeFileSync(`${folder}${name}.png`, picture);
  await page.setViewportSize({ width, height: 860 });
  return picture.length;
}

/** The browser that drew the picture also reads it: no library for that is needed here. */
async function pointsOf(page: Page, png: Buffer): Promise<Parameters<typeof smallPng>[0]> {
  const blank = await page.context().newPage();
  const script = `(async () => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(png.toString("base64"))}), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const drawing = new OffscreenCanvas(image.width, image.height).getContext("2d");
    drawing.drawImage(image, 0, 0);
    const { data } = drawing.getImageData(0, 0, image.width, image.height);
    let text = "";
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return { width: image.width, height: image.height, points: btoa(text) };
  })()`;
  const { width, height, points } = (await blank.evaluate(script)) as {
    width: number;
    height: number;
    points: string;
  };
  await blank.close();
  return { width, height, points: new Uint8Array(Buffer.from(points, "base64")) };
}
