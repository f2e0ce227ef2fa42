/** The system's Chromium, driven headless, and a person in front of the console. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

export async function launchBrowser(): Promise<Browser> {
  // `npm test` names one; run by themselves the tests look where Debian puts it.
  const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(
      "Cannot test the console: there is no Chromium here; install one (`apt-get install chromium`) or name it in CHROMIUM_PATH.",
    );
  }
  if (!existsSync(fileURLToPath(new URL("../../dist/console/web/index.html", import.meta.url)))) {
    throw new Error("Cannot test the console: it is not built; run `npm run build`.");
  }
  // The sandbox needs rights that containers do not give; only our own pages are opened.
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
  ];
  return chromium.launch({ executablePath, args: [...args, "--disable-component-update", "--disable-sync"] });
}

/** A window, and everything that went wrong in it. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors of scripts, refused by the policy, failed requests. */
  readonly troubles: string[];
  /** API addresses that were asked, path and query. */
  readonly asked: string[];
}

export async function openWindow(
  browser: Browser,
  options: { readonly theme?: "light" | "dark"; readonly width?: number } = {},
): Promise<Visitor> {
  const viewport = { width: options.width ?? 1360, height: 860 };
  const context = await browser.newContext({
    viewport,
    colorScheme: options.theme ?? "light",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const troubles: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => troubles.push(`script: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    const api = /\/(admin\/v1|portal\/v1|console\/session).*/.exec(pathname);
    if (api !== null && request.resourceType() !== "eventsource") asked.push(`${api[0]}${search}`);
  });
  return { context, page, troubles, asked };
}

/** Nothing is on its way any more: no placeholder, nothing dimmed. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor({ state: "attached" });
  await page.locator(".loading, [aria-busy=true]").first().waitFor({ state: "detached" });
  // A page that has just got its first answer may ask for more.
  await page.waitForTimeout(50);
  await page.locator(".loading, [aria-busy=true]").first().waitFor({ state: "detached" });
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[];
  }[];
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds that is serious or critical, one line each. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  // Through the debugger, as the page's own policy forbids scripts that are not its own.
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run()")) as AxeResult;
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${JSON.stringify(target)} ${failureSummary ?? ""}`),
    );
}
