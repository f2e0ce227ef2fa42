/** A ledger in memory: admission and settlement without a database, to show what the durable one costs. Never for use. */
import { type PicoUsd, pico } from "../../src/core/money.ts";
import type { Ledger } from "../../src/ports.ts";

export interface MemoryLedger extends Ledger {
  chargedTokens(): number;
}

export function createMemoryLedger(): MemoryLedger {
  const holds = new Map<string, PicoUsd>();
  let charged = 0;
  return {
    async hold(operation) {
      holds.set(operation.id, operation.amount);
      return {
        ok: true,
        amount: operation.amount,
        limits: { rpm: null, requestsLeft: null, tpm: null, tokensLeft: null },
      };
    },
    async settle(operation) {
      if (!holds.delete(operation.id)) return { code: "already", charge: pico(0n), outcome: "unknown" };
      if (operation.tokens !== null) charged += operation.tokens.total;
      return { code: "done" };
    },
    checkpoint: () => undefined,
    abandon: (id) => void holds.delete(id),
    rememberResult: async () => undefined,
    findResult: async () => null,
    chargedTokens: () => charged,
  };
}
