import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const assets = fileURLToPath(new URL("../../dist/console/web/assets/", import.meta.url));
const budgetBytes = 260_000;

test("all JavaScript of the console and of the customer's page is under 260 kB, gzipped", () => {
  const scripts = readdirSync(assets).filter((name) => name.endsWith(".js"));
  const sizes = scripts.map((name) => gzipSync(readFileSync(`${assets}${name}`)).length);
  expect(scripts.length).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(budgetBytes);
});
