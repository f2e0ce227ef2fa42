import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "console/src/**/*.test.ts", "test/**/*.test.ts", "sim/**/*.test.ts"],
    // The second says how many rows of docs/security.md held.
    reporters: ["default", "./test/hostile/support/rows-reporter.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // Some tests measure a stall or leave at an exact moment, and lose to a busy machine now and then. Three in a row is no
    // chance. A property that fails once has found something, though the next draw may not: it counts, with its seed.
    retry: { count: 2, condition: /^(?!Property failed)/ },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
