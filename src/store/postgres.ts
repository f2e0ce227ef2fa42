import pg from "pg";
import { type Db, parseInt8, type Queryable } from "./db.ts";

const int8Oid = 20;

export interface PostgresOptions {
  readonly url: string;
  /** Connections for everything but the money path, which has its own. */
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  /** For the money path: connections stay open and statements prepared, so that no request pays for a new plan. */
  readonly keepsReady?: boolean;
}

/** A pool on a PostgreSQL server. Every session commits synchronously, whatever the server's default. */
export function openPostgres(options: PostgresOptions): Db {
  const types = {
    getTypeParser: ((oid: number, format?: "text" | "binary") =>
      oid === int8Oid
        ? parseInt8
        : pg.types.getTypeParser(oid, format as "text")) as typeof pg.types.getTypeParser,
  };
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    types,
    ...(options.keepsReady === true ? { min: options.poolSize } : {}),
    statement_timeout: options.statementTimeoutMs,
    // Should the server be gone without a word, or its answer never come.
    query_timeout: options.statementTimeoutMs + 5_000,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: "tollgate",
    options: "-c synchronous_commit=on -c timezone=UTC",
  });
  // A broken idle connection is replaced by the pool; the next query says what is wrong.
  pool.on("error", () => undefined);
  // One that breaks while a transaction has it fails that; without a listener of its own it would end the process.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  const names = new Map<string, string>();
  const nameOf = (sql: string): string => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    const name = `tollgate_${names.size + 1}`;
    names.set(sql, name);
    return name;
  };
  const queryOn =
    (client: pg.Pool | pg.PoolClient): Queryable["query"] =>
    async <Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> => {
      const query = { text: sql, values: [...parameters] };
      const result = await client.query(
        options.keepsReady === true ? { ...query, name: nameOf(sql) } : query,
      );
      return result.rows as Row[];
    };
  return {
    kind: "postgres",
    query: queryOn(pool),
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query("begin");
        const result = await work({ query: queryOn(client) });
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback").catch((rollbackError: Error) => {
          broken = rollbackError;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async execute(sql) {
      await pool.query(sql);
    },
    async close() {
      await pool.end();
    },
  };
}
