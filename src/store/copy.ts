/**
 * Copies a whole database into an empty one, in one transaction of the target: schema, rows, sequences, and the proof that
 * the copy is the original. Whatever fails, nothing is left there.
 */
import type { VerificationCheck } from "../ports-reports.ts";
import { type Db, type Queryable, sql } from "./db.ts";
import { lockMigrations, migrate, pendingMigrations } from "./migrate.ts";
import { runChecks } from "./verify.ts";

export interface CopyResult {
  readonly tables: number;
  readonly rows: number;
  readonly accounts: number;
  readonly checks: number;
}

/** Why a copy was not made; the message is for the operator. `check` is what `ledger verify` finds, when that is why. */
export class CopyRefused extends Error {
  override readonly name = "CopyRefused";
  readonly check: VerificationCheck | null;
  constructor(message: string, check: VerificationCheck | null = null) {
    super(message);
    this.check = check;
  }
}

export interface CopyOptions {
  readonly recoveryMs: number;
  readonly progress: (text: string) => void;
}

interface Table {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly key: readonly string[];
  /** Tables that this one refers to. */
  readonly needs: readonly string[];
}

/** Without generated columns, which compute themselves, and the migrations, which are applied. */
const selectTables = sql`
  select c.relname as name,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
    (select json_agg(a.attname order by k.ord)
      from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, ord)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where i.indrelid = c.oid and i.indisprimary) as key,
    (select coalesce(json_agg(distinct r.relname), '[]')
      from pg_constraint f join pg_class r on r.oid = f.confrelid where f.conrelid = c.oid and f.contype = 'f') as needs
  from pg_class c
  where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migrations'
  order by 1`;
/** Anything at all but what extensions brought along. */
const selectForeign = sql`
  select c.relname as name from pg_class c
  where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and not exists (select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  order by 1 limit 1`;
const selectEncoding = sql`select current_setting('server_encoding') as encoding`;
const noIdleLimit = sql`set local idle_in_transaction_session_timeout = 0`;
const selectSequences = sql`
  select sequencename as name, last_value::text as last from pg_sequences
  where schemaname = current_schema() and last_value is not null order by 1`;
const setSequence = sql`select setval($1::text::regclass, $2::text::bigint)`;
const selectSums = sql`
  select b.account_id || ' ' || b.posted || ' posted, ' || b.held || ' held; entries '
    || coalesce((select string_agg(e.place || ' ' || e.total, ', ' order by e.place collate "C") from (
      select ledger_account as place, sum(amount) as total from entries where account_id = b.account_id group by 1) e), 'none') as line
  from balances b order by b.account_id collate "C"`;

/** Stored results of requests may be 8 MiB each; everything else is small. */
const rowsAtOnce = (table: string): number => (table === "idempotency" ? 8 : 1_000);

/**
 * Throws `CopyRefused` when the target is not empty, the source's schema is not this version's, the copy differs, or the
 * books do not verify; anything else is the databases' own error.
 */
export async function copyDatabase(source: Db, target: Db, options: CopyOptions): Promise<CopyResult> {
  const pending = await pendingMigrations(source);
  if (pending.length > 0)
    throw new CopyRefused(
      `its schema lacks ${pending.join(", ")}; run \`tollgate migrate\` for it first, without --to`,
    );
  return source.transaction((from) =>
    target.transaction(async (to) => {
      await prepare(to);
      await migrate(joined(to));
      const tables = inOrder(await from.query<Table>(selectTables));
      let rows = 0;
      for (const table of tables) rows += await copyTable(from, to, { table, progress: options.progress });
      for (const { name, last } of await from.query<{ name: string; last: string }>(selectSequences))
        await to.query(setSequence, [quote(name), last]);
      options.progress("Comparing every row");
      for (const table of tables) await compareTable(from, to, table);
      const accounts = await compareSums(from, to);
      options.progress("Verifying the ledger");
      for (const { name } of tables) await to.query(`analyze ${quote(name)}`);
      const checks = await runChecks(to, options.recoveryMs);
      const broken = checks.find((one) => !one.ok);
      if (broken !== undefined)
        throw new CopyRefused(
          `the copy is the same row by row, and so both break ${broken.name}: ${JSON.stringify(broken.firstBad)}`,
          broken,
        );
      return { tables: tables.length, rows, accounts, checks: checks.length };
    }),
  );
}

/** One copy or migration at a time; who comes second finds a target that is not empty. */
async function prepare(to: Queryable): Promise<void> {
  await to.query(noIdleLimit);
  await to.query(lockMigrations);
  const [database] = await to.query<{ encoding: string }>(selectEncoding);
  if (database?.encoding !== "UTF8")
    throw new CopyRefused(
      `the target's encoding is ${database?.encoding}; make one with: create database … encoding 'UTF8'`,
    );
  const [foreign] = await to.query<{ name: string }>(selectForeign);
  if (foreign !== undefined)
    throw new CopyRefused(`the target is not empty, it has ${foreign.name}; name an empty database`);
}

/** A transaction in the place of a database: what is begun in it is a part of it. */
function joined(to: Queryable): Db {
  return {
    kind: "postgres",
    query: to.query,
    transaction: (work) => work(to),
    execute: async (text) => void (await to.query(text)),
    close: async () => undefined,
  };
}

/** Tables after those that they refer to. */
function inOrder(tables: readonly Table[]): readonly Table[] {
  const ordered: Table[] = [];
  const waiting = [...tables];
  while (waiting.length > 0) {
    const index = waiting.findIndex(({ needs }) =>
      needs.every((name) => !waiting.some((one) => one.name === name)),
    );
    const [next] = waiting.splice(index, 1);
    if (index === -1 || next === undefined) throw new Error("Bug: tables refer to each other in a circle");
    ordered.push(next);
  }
  return ordered;
}

/** By the text form of every value, which both databases read back as the same value. */
async function copyTable(
  from: Queryable,
  to: Queryable,
  about: { table: Table; progress: (text: string) => void },
): Promise<number> {
  const { name, columns, key } = about.table;
  const asText = columns.map((column) => `${quote(column.name)}::text as ${quote(column.name)}`).join(", ");
  const order = key.map(quote).join(", ");
  await from.query(
    `declare copy_rows no scroll cursor for select ${asText} from ${quote(name)} order by ${order}`,
  );
  const names = columns.map((column) => quote(column.name)).join(", ");
  const values = columns.map((column) => `u.${quote(column.name)}::${column.type}`).join(", ");
  const marks = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const insert = `insert into ${quote(name)} (${names}) overriding system value
    select ${values} from unnest(${marks}) as u (${names})`;
  let count = 0;
  for (;;) {
    const rows = await from.query<Record<string, string | null>>(`fetch ${rowsAtOnce(name)} from copy_rows`);
    if (rows.length === 0) break;
    await to.query(
      insert,
      columns.map((column) => rows.map((row) => row[column.name])),
    );
    count += rows.length;
    if (count % 50_000 === 0) about.progress(`Copying ${name}: ${count} rows so far`);
  }
  await from.query("close copy_rows");
  if (count > 0) about.progress(`Copied ${name}: ${count} rows`);
  return count;
}

/** Every value of every row counts, whatever their order. */
async function compareTable(from: Queryable, to: Queryable, { name }: Table): Promise<void> {
  const statement = `
    select count(*) as rows,
      coalesce(sum(('x' || encode(substr(sha256(convert_to(whole_row::text, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint::numeric), 0)::text as digest
    from ${quote(name)} whole_row`;
  const [before] = await from.query<{ rows: number; digest: string }>(statement);
  const [after] = await to.query<{ rows: number; digest: string }>(statement);
  if (before === undefined || before.rows !== after?.rows || before.digest !== after.digest)
    throw new CopyRefused(
      `${name} differs in the copy, ${before?.rows} rows and ${after?.rows}; this is a bug`,
    );
}

/** A second look, by what the rows mean: each account's balance and its sums by place of the ledger. */
async function compareSums(from: Queryable, to: Queryable): Promise<number> {
  const before = await from.query<{ line: string }>(selectSums);
  const after = await to.query<{ line: string }>(selectSums);
  const wrong = before.findIndex(({ line }, index) => line !== after[index]?.line);
  if (wrong !== -1 || before.length !== after.length)
    throw new CopyRefused(
      `an account differs in the copy, ${before[wrong]?.line} and ${after[wrong]?.line}; this is a bug`,
    );
  return before.length;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
