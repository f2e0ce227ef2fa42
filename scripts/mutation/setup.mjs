// Runs in each test worker before the tests: which mutant is alive, and how often its loops may turn in one test.
import { beforeEach, inject } from "vitest";

globalThis.mutant = inject("mutant");
beforeEach(() => {
  globalThis.mutantSteps = 0;
});
