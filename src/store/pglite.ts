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
  // What PostgreSQL does after a crash is done here as well: a new one reads the log. Memory is gone with its thread.
  let thread = await startThread(start, null).catch(async (error: unknown) => {
    await lock?.release();
    throw error;
  });
  const reach = async (): Promise<Thread> => {
    if (directory === null || !thread.hasCrashed()) return thread;
    await thread.end();
    try {
      thread = await startThread(start, restartPatienceMs);
      return thread;
    } catch (error) {
      // The disk is still full, perhaps: whoever asks again starts it again.
      throw new DatabaseError(error instanceof Error ? error.message : String(error), "57P03");
    }
  };
  const call = async (body: CallBody): Promise<unknown> => (await reach()).call(body);
  const query: Queryable["query"] = async <Row>(sql: string, parameters: readonly unknown[] = []) =>
    (await call({ kind: "query", sql, parameters })) as Row[];

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
          // One that crashed has rolled it back already.
          if (!thread.hasCrashed()) await query("rollback");
          throw error;
        }
      }),
    dump: () => inTurn(() => call({ kind: "dump" })) as Promise<Uint8Array>,
    fsyncs: () => inTurn(() => call({ kind: "fsyncs" })) as Promise<number>,
    async close() {
      await inTurn(async () => {
        if (!thread.hasCrashed()) await thread.call({ kind: "close" });
        await thread.end();
      });
      await lock?.release();
    },
  };
}

interface Thread {
  call(body: CallBody): Promise<unknown>;
  /** After that it answers nothing more. */
  hasCrashed(): boolean;
  end(): Promise<unknown>;
}

/** Reading the log after a crash takes seconds; a database that finds its disk full again may hang, ms. */
const restartPatienceMs = 30_000;

/** Starts the database in a thread of its own. Rejects when it does not come up; no thread is left then. */
async function startThread(start: WorkerStart, patienceMs: number | null): Promise<Thread> {
  const worker = new Worker(workerUrl, { workerData: start });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let nextId = 1;
  let failed: Error | null = null;
  const failAll = (error: Error): void => {
    failed ??= error;
    for (const { reject } of waiting.values()) reject(failed);
    waiting.clear();
  };
  worker.on("message", (reply: WorkerReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) return asked?.resolve(reply.value);
    // A crash may have come before or after a COMMIT: whoever asked must ask again (retry.ts).
    const error = new DatabaseError(reply.message, reply.isCrash ? crashCode : reply.code);
    asked?.reject(error);
    if (reply.isCrash) failAll(error);
  });
  worker.on("error", failAll);
  worker.on("exit", () =>
    failAll(new DatabaseError("Cannot use the embedded database: it was closed", "57P01")),
  );
  const started = new Promise<unknown>((resolve, reject) => waiting.set(0, { resolve, reject }));
  const giveUp = (): void =>
    failAll(new DatabaseError("Cannot open the embedded database: it does not start", crashCode));
  const timer = patienceMs === null ? undefined : setTimeout(giveUp, patienceMs);
  try {
    await started;
  } catch (error) {
    await worker.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    call: (body) =>
      new Promise((resolve, reject) => {
        if (failed !== null) return reject(failed);
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ ...body, id } as WorkerCall);
      }),
    hasCrashed: () => failed !== null,
    end: () => worker.terminate(),
  };
}

/** PostgreSQL's own code for "crash shutdown". */
const crashCode = "57P02";
