import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Db, Queryable } from "./db.ts";
import { lockDirectory } from "./directory-lock.ts";
import { schemaFingerprint } from "./migrate.ts";
import { refuseMoved } from "./moved.ts";
import type { WorkerCall, WorkerReply, WorkerStart } from "./pglite-worker.ts";

/** The embedded database: one process, one connection, in its own thread. */
export interface EmbeddedDb extends Db {
  /** A gzip tar of the data directory, consistent at the moment of the call. */
  dump(): Promise<Uint8Array>;
  /** How often files were really synced since the start. */
  fsyncs(): Promise<number>;
}

export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code: string | null;
  constructor(message: string, code: string | null) {
    super(message);
    this.code = code;
  }
}

// Compiled JavaScript in every case: a worker thread is started by Node itself, which reads no TypeScript.
const here = import.meta.url;
const workerUrl = here.endsWith(".ts")
  ? new URL("../../dist/store/pglite-worker.js", here)
  : new URL("./pglite-worker.js", here);
const snapshotPath = fileURLToPath(new URL("./snapshot.tar.gz", workerUrl));

/** The build's snapshot, when it is one of this schema: the build leaves a file beside it that names the schema. */
const findSnapshot = (): string | null =>
  existsSync(snapshotPath) && existsSync(`${snapshotPath}.${schemaFingerprint()}`) ? snapshotPath : null;

type CallBody = WorkerCall extends infer Call ? (Call extends WorkerCall ? Omit<Call, "id"> : never) : never;

export interface PgliteOptions {
  readonly useSnapshot: boolean;
  /** A file that `dump()` made, to begin with in a directory without data. */
  readonly startFrom?: string;
}

/**
 * Opens `directory` exclusively, or memory for `null`. The data lies in `directory`/db. Throws `DirectoryLocked` while
 * another process has it, and `DatabaseMoved` when its data went to PostgreSQL.
 */
export async function openPglite(
  directory: string | null,
  options: PgliteOptions = { useSnapshot: true },
): Promise<EmbeddedDb> {
  const lock = directory === null ? null : await lockDirectory(directory);
  try {
    if (directory !== null) refuseMoved(directory);
  } catch (error) {
    await lock?.release();
    throw error;
  }
  const start: WorkerStart = {
    directory: directory === null ? null : join(directory, "db"),
    snapshot: options.startFrom ?? (options.useSnapshot ? findSnapshot() : null),
  };
  const worker = new Worker(workerUrl, { workerData: start });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let nextId = 1;
  let failed: Error | null = null;
  const failAll = (error: Error): void => {
    failed = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const started = new Promise<unknown>((resolve, reject) => waiting.set(0, { resolve, reject }));
  worker.on("message", (reply: WorkerReply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) call?.resolve(reply.value);
    else call?.reject(new DatabaseError(reply.message, reply.code));
  });
  worker.on("error", failAll);
  worker.on("exit", () =>
    failAll(new DatabaseError("Cannot use the embedded database: it was closed", "57P01")),
  );

  const call = (body: CallBody): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failed !== null) return reject(failed);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...body, id } as WorkerCall);
    });
  const query: Queryable["query"] = async <Row>(sql: string, parameters: readonly unknown[] = []) =>
    (await call({ kind: "query", sql, parameters })) as Row[];

  try {
    await started;
  } catch (error) {
    await worker.terminate();
    await lock?.release();
    throw error;
  }

  // One connection: a transaction has it alone, other statements wait their turn.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work, work);
    turn = result.catch(() => undefined);
    return result;
  };
  return {
    kind: "pglite",
    query: (sql, parameters) => inTurn(() => query(sql, parameters)),
    execute: (sql) => inTurn(() => call({ kind: "execute", sql })).then(() => undefined),
    transaction: (work) =>
      inTurn(async () => {
        await query("begin");
        try {
          const result = await work({ query });
          await query("commit");
          return result;
        } catch (error) {
          await query("rollback");
          throw error;
        }
      }),
    dump: () => inTurn(() => call({ kind: "dump" })) as Promise<Uint8Array>,
    fsyncs: () => call({ kind: "fsyncs" }) as Promise<number>,
    async close() {
      await inTurn(() => call({ kind: "close" }));
      await worker.terminate();
      await lock?.release();
    },
  };
}
