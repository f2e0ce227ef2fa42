import { expect, test } from "vitest";
import { retryAfter } from "./failures.ts";

const now = Date.parse("2026-11-20T12:00:00Z");

/** What the official clients read of it, and how long a deployment is left alone. */
test.each<[Record<string, string>, number | null]>([
  [{ "retry-after-ms": "250" }, 250],
  [{ "retry-after": "7" }, 7_000],
  [{ "retry-after": "86400" }, 86_400_000],
  [{ "retry-after-ms": "250", "retry-after": "7" }, 250],
  [{ "retry-after-ms": "soon", "retry-after": "7" }, 7_000],
  [{ "retry-after": "Fri, 20 Nov 2026 12:00:03 GMT" }, 3_000],
  [{ "retry-after": "Fri, 20 Nov 2026 11:00:00 GMT" }, 0],
  [{ "retry-after": "-5" }, null],
  [{ "retry-after": "soon" }, null],
  [{}, null],
])("retryAfter() of %j is %j ms", (headers, want) => {
  expect(retryAfter(headers, now)).toBe(want);
});
