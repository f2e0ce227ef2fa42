import { expect, test } from "vitest";
import { pico } from "../core/money.ts";
import type { Ledger, Observation, SettleOperation, SettleOutcome } from "../ports.ts";
import { settleInTime } from "./settle-in-time.ts";

const settlement: SettleOperation = {
  id: "req_1",
  accountId: "acme",
  keyId: null,
  state: "settled",
  outcome: "complete",
  charge: pico(370n),
  loss: pico(0n),
  vendorCost: pico(296n),
  modelRequested: "talker",
  modelServed: null,
  endpoint: "one",
  source: "vendor",
  stream: true,
  tokens: null,
  record: {},
};

async function settleAgainst(answer: Promise<SettleOutcome>): Promise<{ told: string; faults: string[] }> {
  const faults: string[] = [];
  const abandoned: string[] = [];
  const ledger: Pick<Ledger, "settle" | "abandon"> = {
    settle: () => answer,
    abandon: (id) => abandoned.push(id),
  };
  const observe = (one: Observation): void => {
    if (one.event === "fault") faults.push(one.error);
  };
  const { isInTime, late } = await settleInTime({ ledger: ledger as Ledger, observe }, settlement);
  const told = `${isInTime ? "in time" : "not in time"}, ${(await late) ? "committed" : "never"}`;
  return { told: abandoned.length === 0 ? told : `${told}, abandoned`, faults };
}

test("settleInTime() counts a charge that it committed, also when a lost answer made it ask twice", async () => {
  const done = { told: "in time, committed", faults: [] };
  expect(await settleAgainst(Promise.resolve({ code: "done" }))).toEqual(done);
  const again = { code: "already", charge: pico(370n), outcome: "complete" } as const;
  expect(await settleAgainst(Promise.resolve(again))).toEqual(done);
});

test("settleInTime() does not take another process's end of the hold for its own charge", async () => {
  for (const [outcome, charge] of [
    ["recovered", 370n],
    ["recovered", 0n],
    ["complete", 369n],
    ["unknown", 0n],
  ] as const) {
    const seen = await settleAgainst(Promise.resolve({ code: "already", charge: pico(charge), outcome }));
    expect(seen.told).toBe("not in time, never");
    expect(seen.faults).toEqual([
      `Cannot settle req_1 with 370 pUSD (the vendor's price 296): another process took it for a dead one's and ended it as "${outcome}" with ${charge}; see why this process lost its lease.`,
    ]);
  }
});

test("settleInTime() hands a settlement that the ledger refuses to recovery", async () => {
  const seen = await settleAgainst(Promise.reject(new Error("the hold is unknown")));
  expect(seen).toEqual({
    told: "not in time, never, abandoned",
    faults: ["Error: the hold is unknown"],
  });
});
