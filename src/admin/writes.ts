import type { StoredResult } from "../ports.ts";
import type { AdminStore, AdminTables, Reservation } from "../ports-admin.ts";
import { AdminError } from "./errors.ts";
import { fingerprintOf, readIdempotencyKey, seal, unseal } from "./repeats.ts";
import type { Actor, WriteRoute, Written } from "./route.ts";

const dayMs = 86_400_000;

/** One change that was asked for. */
export interface Writer {
  readonly store: AdminStore;
  readonly caller: { readonly actor: Actor; readonly token: string };
  readonly path: string;
  readonly body: unknown;
  readonly idempotencyKey: string | string[] | undefined;
  run(tables: AdminTables): Promise<Written<unknown>>;
}

export interface WriteAnswer extends StoredResult {
  readonly isReplay: boolean;
}

/**
 * Makes the change, its audit record and the memory of its Idempotency-Key in one transaction: after a crash either all of
 * it is there or nothing. A refusal rolls back too, so that the key is free for another try.
 */
export function answerWrite(route: WriteRoute, writer: Writer): Promise<WriteAnswer> {
  const key = readIdempotencyKey(writer.idempotencyKey);
  return writer.store.transaction(async (tables) => {
    if (key === null) return firstAnswer(await writer.run(tables));
    const { caller, path, body } = writer;
    const fingerprint = fingerprintOf({ actor: caller.actor.name, method: route.method, path, body });
    const reservation = await tables.idempotency.reserve(key, fingerprint, dayMs);
    if (reservation.state !== "new") return repeatOf(reservation, route.isSecret ? caller.token : null);
    const answer = firstAnswer(await writer.run(tables));
    const stored = route.isSecret ? seal(answer.body, caller.token) : answer.body;
    await tables.idempotency.remember(key, { status: answer.status, headers: {}, body: stored });
    return answer;
  });
}

/** The first answer again, or why there is none. `token`: what its secret was sealed with; null = it has none. */
export function repeatOf(
  reservation: Exclude<Reservation, { readonly state: "new" }>,
  token: string | null,
): WriteAnswer {
  switch (reservation.state) {
    case "running":
      throw repeated(
        409,
        "idempotency_in_progress",
        "the first request with it is still running; wait a moment and repeat it",
      );
    case "reused":
      throw repeated(
        422,
        "idempotency_key_reused",
        "it was used for another request (body, route or token); use a new key",
      );
    case "done":
      return replayed(reservation.result, token);
  }
}

export const firstAnswer = ({ status, body }: Written<unknown>): WriteAnswer => ({
  status,
  headers: {},
  body: Buffer.from(JSON.stringify(body), "utf8"),
  isReplay: false,
});

function replayed({ status, body }: StoredResult, token: string | null): WriteAnswer {
  const headers = { "idempotent-replayed": "true" };
  if (token === null) return { status, headers, body, isReplay: true };
  try {
    return { status, headers, body: unseal(body, token), isReplay: true };
  } catch (error) {
    // Only when the configured token was changed in between: the actor has the same name and another token.
    throw repeated(
      422,
      "idempotency_key_reused",
      "its answer holds a secret and was made for another token; use a new key",
      error,
    );
  }
}

const repeated = (status: number, code: string, why: string, cause?: unknown): AdminError => {
  const message = `Cannot use this Idempotency-Key: ${why}.`;
  const headers = status === 409 ? { "retry-after": "1" } : {};
  const error = new AdminError({ status, type: "idempotency_error", code, message, headers });
  if (cause !== undefined) error.cause = cause;
  return error;
};
