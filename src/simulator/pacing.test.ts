import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Pacer } from "./pacing.ts";

describe("the pacer", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  /** Runs `delays` of tickets, each set when the clock stands at its `at`, and says when each of them ran. */
  function lateness(tickets: readonly { at: number; delay: number }[]): number[] {
    const pacer = new Pacer(4);
    const late: number[] = [];
    for (const { at, delay } of tickets) {
      setTimeout(() => {
        const due = pacer.now() + delay;
        pacer.at(due, () => late.push(pacer.now() - due));
      }, at);
    }
    vi.advanceTimersByTime(60_000);
    pacer.close();
    return late;
  }

  test("runs every ticket, never early and at most two ticks late, after idle times too", () => {
    const ticket = fc.record({
      at: fc.integer({ min: 0, max: 20_000 }),
      delay: fc.integer({ min: -50, max: 15_000 }),
    });
    fc.assert(
      fc.property(fc.array(ticket, { maxLength: 40 }), (tickets) => {
        const late = lateness(tickets);
        expect(late.length).toBe(tickets.length);
        for (const ms of late) expect(ms >= 0 && ms <= 58).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("does not run what was cancelled, and knows how late the rest was", () => {
    const pacer = new Pacer(4);
    const ran: string[] = [];
    const ticket = pacer.at(pacer.now() + 10, () => ran.push("cancelled"));
    pacer.at(pacer.now() + 20, () => ran.push("kept"));
    pacer.cancel(ticket);
    vi.advanceTimersByTime(100);
    expect([ran, pacer.lag().tickets]).toEqual([["kept"], 1]);
    expect(pacer.lag().maxMs).toBeLessThanOrEqual(8);
  });

  test("a ticket may set the next one", () => {
    const pacer = new Pacer(4);
    const ran: number[] = [];
    const again = (): void => {
      ran.push(pacer.now());
      if (ran.length < 100) pacer.at(pacer.now() + 1, again);
    };
    pacer.at(pacer.now(), again);
    vi.advanceTimersByTime(1_000);
    expect(ran.length).toBe(100);
  });
});
