import type { Clock } from "../ports.ts";
import { type Queryable, sql } from "../store/db.ts";

const selectNow = sql`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`;

export interface DatabaseClock extends Clock {
  /** Asks the database again: clocks of two machines drift apart. */
  sync(): Promise<void>;
}

/**
 * The database's time, carried on by this process's own stopwatch: which price is in force, and what lies in the past,
 * must not hang on how the clock of a gateway's machine is set.
 */
export async function createDatabaseClock(db: Queryable): Promise<DatabaseClock> {
  const elapsed = (): number => performance.now();
  let offset = 0;
  const sync = async (): Promise<void> => {
    const askedAt = elapsed();
    const [row] = await db.query<{ ms: number }>(selectNow);
    if (row === undefined) throw new Error("Bug: the database gave no time");
    offset = row.ms - (askedAt + elapsed()) / 2;
  };
  await sync();
  return { now: () => Math.floor(elapsed() + offset), elapsed, sync };
}
