import type { Desk } from "../billing/desk.ts";
import type { AdminTables } from "../ports-admin.ts";
import { AdminError } from "./errors.ts";
import { fingerprintOf, readIdempotencyKey } from "./repeats.ts";
import type { Acted, ActionRoute } from "./route.ts";
import { firstAnswer, repeatOf, type WriteAnswer, type Writer } from "./writes.ts";

/** Actions that may run at once in one process. */
const actionsMax = 4;
/** Longer than any action runs. After it the key of a process that died in the middle is free again. */
const reservationMs = 600_000;

/** One action that was asked for. */
export interface Asker extends Omit<Writer, "run"> {
  act(signal: AbortSignal): Promise<Acted<unknown>>;
  readonly deskOn: (tables: AdminTables) => Desk;
}

/** The actions that run in this process. */
export interface Actions {
  /** Goes on to its end when the asker leaves: what it cost has to be booked. */
  answer(route: ActionRoute, asker: Asker): Promise<WriteAnswer>;
  /** Interrupts them all, and waits until what they did is recorded. */
  close(): Promise<void>;
}

export function createActions(): Actions {
  const running = new Set<Promise<unknown>>();
  const closing = new AbortController();
  return {
    answer(route, asker) {
      if (running.size >= actionsMax || closing.signal.aborted) {
        const message = `Cannot ${route.method} ${route.path}: ${actionsMax} of its sort are running, or the server stops; try again later.`;
        throw new AdminError({ status: 503, code: "overloaded", message, headers: { "retry-after": "10" } });
      }
      const answer = answerAction(route, asker, closing.signal).finally(() => running.delete(answer));
      running.add(answer);
      return answer;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}

/**
 * Reserves the Idempotency-Key in one transaction, acts outside any, and records what was done together with the answer in
 * another. A refusal is recorded too, and leaves the key free for another try.
 */
async function answerAction(route: ActionRoute, asker: Asker, signal: AbortSignal): Promise<WriteAnswer> {
  const { store, caller, path, body } = asker;
  const key = readIdempotencyKey(asker.idempotencyKey);
  if (key !== null) {
    const fingerprint = fingerprintOf({ actor: caller.actor.name, method: route.method, path, body });
    const reservation = await store.transaction((tables) =>
      tables.idempotency.reserve(key, fingerprint, reservationMs),
    );
    if (reservation.state !== "new") return repeatOf(reservation, null);
  }
  let acted: Acted<unknown>;
  try {
    acted = await asker.act(signal);
  } catch (error) {
    if (key !== null) await store.transaction((tables) => tables.idempotency.release(key));
    throw error;
  }
  const { outcome } = acted;
  const answer = outcome.ok ? firstAnswer(outcome.answer) : null;
  await store.transaction(async (tables) => {
    await acted.record(asker.deskOn(tables));
    if (key === null) return;
    if (answer === null) await tables.idempotency.release(key);
    else await tables.idempotency.remember(key, answer);
  });
  if (answer === null) throw outcome.ok ? new Error("Bug: an action has no answer") : outcome.error;
  return answer;
}
