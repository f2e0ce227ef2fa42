import { pico } from "../core/money.ts";
import type { HeldRequest, Leases, OrphanedHold } from "../ports.ts";
import { type Db, sql } from "./db.ts";

const insertInstance = sql`
  insert into instances (id, lease_until, about) values ($1, clock_timestamp() + $2 * interval '1 millisecond', $3)`;
const renewInstance = sql`
  update instances set lease_until = clock_timestamp() + $2 * interval '1 millisecond'
  where id = $1 and lease_until > clock_timestamp() returning id`;
/** A hold is ended by whoever deletes its row, so taking back one's own is safe: somebody else was faster or was not. */
const adoptHolds = sql`update holds set instance_id = $1 where instance_id = $2`;
const endInstance = sql`update instances set lease_until = clock_timestamp() where id = $1`;
/** Leaves rows whose process is long gone and that no hold names. */
const deleteOldInstances = sql`
  delete from instances i where i.lease_until < clock_timestamp() - interval '1 day'
    and not exists (select 1 from holds h where h.instance_id = i.id)`;
/** A background run outlives its process: whoever finds it due looks at the vendor (responses.ts). */
const selectOrphans = sql`
  select h.id, h.account_id, h.key_id, h.amount::text as amount, h.request, h.progress, h.created_at,
    i.id is null as is_abandoned
  from holds h left join instances i on i.id = h.instance_id
  where (i.id is null or i.lease_until <= clock_timestamp())
    and not exists (select 1 from responses r where r.request_id = h.id and r.state = 'running')
  order by h.created_at limit $1`;

interface OrphanRow {
  readonly id: string;
  readonly account_id: string;
  readonly key_id: string | null;
  readonly amount: string;
  readonly request: HeldRequest;
  readonly progress: Record<string, unknown> | null;
  readonly created_at: Date;
  /** Handed over by its process itself (ledger.ts), which lives perhaps. */
  readonly is_abandoned: boolean;
}

export interface StoreLeases extends Leases {
  /** The id under which this process holds now. */
  current(): string;
}

/**
 * Leases on the database's clock. `newId` makes a fresh id for each epoch, so that an old one can never hold again.
 *
 * A lapsed lease tells of a dead process only while the database can be reached: when it was away, the leases of the living
 * lapsed too. So a process calls a hold an orphan only after it was in touch with the database for the time of one lease,
 * in which the living have come back; before that it knows nothing of why a lease lapsed.
 */
export function createLeases(db: Db, newId: () => string, about: Record<string, unknown>): StoreLeases {
  let current = "";
  const touch = createTouch();
  return {
    current: () => current,
    async register(leaseMs) {
      const id = newId();
      await touch.during(leaseMs, db.query(insertInstance, [id, leaseMs, JSON.stringify(about)]));
      await db.query(deleteOldInstances);
      if (current !== "") {
        touch.lose();
        await touch.during(leaseMs, db.query(adoptHolds, [id, current]));
      }
      current = id;
      return id;
    },
    async renew(leaseMs) {
      return (await touch.during(leaseMs, db.query(renewInstance, [current, leaseMs]))).length === 1;
    },
    async findOrphans(limit) {
      const rows = await touch.during(null, db.query<OrphanRow>(selectOrphans, [limit]));
      // An embedded database has one process at a time: whoever held a lease on it before is gone.
      const isPatient = db.kind === "postgres" && !touch.isLasting();
      return rows.filter((row) => row.is_abandoned || !isPatient).map(fromRow);
    },
    async release() {
      await db.query(endInstance, [current]);
    },
  };
}

interface Touch {
  /** Notes how the query ended. `leaseMs` is the lease that it is about; null = the one before. */
  during<Result>(leaseMs: number | null, query: Promise<Result>): Promise<Result>;
  lose(): void;
  /** Whether the database has been there all through the time of a lease until now. */
  isLasting(): boolean;
}

/**
 * How long the database has been there without a break, as this process sees it. Leases are renewed three times in their
 * time, so a break by which another's lapses is one in which a query of ours failed, or came back after half a lease.
 */
function createTouch(): Touch {
  let lease = 0;
  let sinceMs: number | null = null;
  let lastMs = 0;
  return {
    async during(leaseMs, query) {
      try {
        const result = await query;
        const nowMs = performance.now();
        lease = leaseMs ?? lease;
        if (sinceMs === null || nowMs - lastMs > lease / 2) sinceMs = nowMs;
        lastMs = nowMs;
        return result;
      } catch (error) {
        sinceMs = null;
        throw error;
      }
    },
    lose() {
      sinceMs = null;
    },
    isLasting: () => sinceMs !== null && performance.now() - sinceMs >= lease,
  };
}

const fromRow = (row: OrphanRow): OrphanedHold => ({
  id: row.id,
  accountId: row.account_id,
  keyId: row.key_id,
  amount: pico(BigInt(row.amount)),
  request: row.request,
  progress: row.progress,
  createdAt: row.created_at.toISOString(),
});
