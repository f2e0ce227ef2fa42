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
  select h.id, h.account_id, h.key_id, h.amount::text as amount, h.request, h.progress, h.created_at
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
}

export interface StoreLeases extends Leases {
  /** The id under which this process holds now. */
  current(): string;
}

/** Leases on the database's clock. `newId` makes a fresh id for each epoch, so that an old one can never hold again. */
export function createLeases(db: Db, newId: () => string, about: Record<string, unknown>): StoreLeases {
  let current = "";
  // A lease that lapsed while its process lived tells of a database that was away: then the others' lapsed too, and they get
  // the time of a lease to come back before their holds are taken for a dead process's.
  let patientUntilMs = 0;
  return {
    current: () => current,
    async register(leaseMs) {
      const id = newId();
      await db.query(insertInstance, [id, leaseMs, JSON.stringify(about)]);
      await db.query(deleteOldInstances);
      if (current !== "") {
        await db.query(adoptHolds, [id, current]);
        patientUntilMs = performance.now() + leaseMs;
      }
      current = id;
      return id;
    },
    async renew(leaseMs) {
      return (await db.query(renewInstance, [current, leaseMs])).length === 1;
    },
    async findOrphans(limit) {
      if (performance.now() < patientUntilMs) return [];
      const rows = await db.query<OrphanRow>(selectOrphans, [limit]);
      return rows.map(
        (row): OrphanedHold => ({
          id: row.id,
          accountId: row.account_id,
          keyId: row.key_id,
          amount: pico(BigInt(row.amount)),
          request: row.request,
          progress: row.progress,
          createdAt: row.created_at.toISOString(),
        }),
      );
    },
    async release() {
      await db.query(endInstance, [current]);
    },
  };
}
