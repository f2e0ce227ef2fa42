import { expect, test } from "vitest";
import { findNearest } from "./nearest.ts";

const names = ["base_url", "api_key", "api_version", "port", "host", "kind"];

test.each([
  ["base_uri", "base_url"],
  ["baseUrl", "base_url"],
  ["api-key", "api_key"],
  ["prot", "port"],
  ["apiversion", "api_version"],
  ["kin", "kind"],
  ["zebra", null],
  ["", null],
])("findNearest(%j) is %j", (word, nearest) => {
  expect(findNearest(word, names)).toBe(nearest);
});
