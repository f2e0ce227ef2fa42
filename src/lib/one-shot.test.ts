import { expect, test, vi } from "vitest";
import { OneShot, type OneShotSignal } from "./one-shot.ts";

/** The platform's own, as the measure. */
function platform(): OneShotSignal & { abort(): void } {
  const controller = new AbortController();
  const { signal } = controller;
  return {
    get aborted() {
      return signal.aborted;
    },
    addEventListener: (type, listener) => signal.addEventListener(type, listener, { once: true }),
    removeEventListener: (type, listener) => signal.removeEventListener(type, listener),
    abort: () => controller.abort(),
  };
}

test.each([
  ["one shot", () => new OneShot()],
  ["the platform's signal", platform],
])("%s tells its listeners once, and none that left or came late", (_name, make) => {
  const shot = make();
  const [stays, leaves, late] = [vi.fn(), vi.fn(), vi.fn()];
  shot.addEventListener("abort", stays);
  shot.addEventListener("abort", leaves);
  shot.removeEventListener("abort", leaves);
  expect(shot.aborted).toBe(false);
  shot.abort();
  shot.addEventListener("abort", late);
  shot.abort();
  expect(shot.aborted).toBe(true);
  expect([stays, leaves, late].map((one) => one.mock.calls.length)).toEqual([1, 0, 0]);
});

test("a listener may leave while it is told", () => {
  const shot = new OneShot();
  const second = vi.fn();
  const first = vi.fn(() => shot.removeEventListener("abort", second));
  shot.addEventListener("abort", first);
  shot.addEventListener("abort", second);
  shot.abort();
  expect(first).toHaveBeenCalledOnce();
});
