/** The embedded database's own thread, so that a batch never blocks the gateway's event loop. */
import * as fs from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite, types } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";
import { parseInt8 } from "./db.ts";

export interface WorkerStart {
  /** Directory of the data, or null for memory only. */
  readonly directory: string | null;
  /** A gzip snapshot of a migrated, empty data directory, for a first start. */
  readonly snapshot: string | null;
}

export type WorkerCall =
  | {
      readonly id: number;
      readonly kind: "query";
      readonly sql: string;
      readonly parameters: readonly unknown[];
    }
  | { readonly id: number; readonly kind: "execute"; readonly sql: string }
  | { readonly id: number; readonly kind: "dump" }
  | { readonly id: number; readonly kind: "fsyncs" }
  | { readonly id: number; readonly kind: "close" };

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly message: string;
      readonly code: string | null;
      /** The database ended itself over it, and answers nothing more: this thread is of no use. */
      readonly isCrash: boolean;
    };

/** A thread is a program of its own: this is its memory. `isWaiting`: a snapshot is unpacked, and synced at its end. */
const fsyncs = { count: 0, isWaiting: false };

/**
 * Node's files with a real fsync. As it comes the file system drops fsync (measured: 0 calls in 200 commits);
 * Emscripten calls `stream_ops.fsync` when there is one.
 */
class DurableNodeFs extends NodeFS {
  override async init(...parameters: Parameters<NodeFS["init"]>): ReturnType<NodeFS["init"]> {
    const result = await super.init(...parameters);
    const preRun = result.emscriptenOpts.preRun;
    const hooks = Array.isArray(preRun) ? preRun : preRun === undefined ? [] : [preRun];
    result.emscriptenOpts.preRun = [
      ...hooks,
      (module: unknown) => {
        const { NODEFS } = module as { NODEFS: { stream_ops: Record<string, unknown> } };
        NODEFS.stream_ops["fsync"] = (stream: { nfd: number }) => {
          if (fsyncs.isWaiting) return 0;
          fsyncs.count += 1;
          fs.fsyncSync(stream.nfd);
          return 0;
        };
      },
    ];
    return result;
  }
}

/** PGlite's defaults without `-F` (fsync off), and with a sync method that reaches the hook above. */
const startParameters = [
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
  "-c",
  "fsync=on",
  "-c",
  "wal_sync_method=fsync",
  "-c",
  "synchronous_commit=on",
];

async function open(start: WorkerStart): Promise<PGlite> {
  const isFirstStart = start.directory === null || !fs.existsSync(`${start.directory}/PG_VERSION`);
  const loadDataDir =
    isFirstStart && start.snapshot !== null
      ? new Blob([fs.readFileSync(start.snapshot)], { type: "application/x-gzip" })
      : null;
  fsyncs.isWaiting = loadDataDir !== null && start.directory !== null;
  const database = new PGlite({
    ...(start.directory === null ? {} : { fs: new DurableNodeFs(start.directory) }),
    ...(loadDataDir === null ? {} : { loadDataDir }),
    startParams: startParameters,
    parsers: { [types.INT8]: parseInt8, [types.NUMERIC]: (text: string) => text },
  });
  await database.waitReady;
  if (fsyncs.isWaiting && start.directory !== null) await syncTree(start.directory);
  fsyncs.isWaiting = false;
  await database.exec("set timezone = 'UTC'");
  return database;
}

/**
 * Syncs every file below `directory`, many at a time. A first start would sync each of 1 200 unpacked files twice and one after
 * the other, which took most of its time; nothing is acknowledged before this has ended.
 */
async function syncTree(directory: string): Promise<void> {
  const entries = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  // Windows syncs no folders.
  const kept = process.platform === "win32" ? entries.filter((entry) => entry.isFile()) : entries;
  const paths = kept.map(
    (entry) => [join(entry.parentPath, entry.name), entry.isFile() ? "r+" : "r"] as const,
  );
  const next = paths.values();
  const lane = async (): Promise<void> => {
    for (const [path, flags] of next) {
      const file = await fs.promises.open(path, flags);
      await file.sync();
      await file.close();
      fsyncs.count += 1;
    }
  };
  await Promise.all(Array.from({ length: 32 }, lane));
}

async function answer(database: PGlite, call: WorkerCall): Promise<unknown> {
  switch (call.kind) {
    case "query":
      return (await database.query(call.sql, [...call.parameters])).rows;
    case "execute":
      await database.exec(call.sql);
      return null;
    case "dump":
      return new Uint8Array(await (await database.dumpDataDir("gzip")).arrayBuffer());
    case "fsyncs":
      return fsyncs.count;
    case "close":
      await database.close();
      return null;
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const ready = open(workerData as WorkerStart);
  ready.then(
    () => port.postMessage({ id: 0, ok: true, value: null } satisfies WorkerReply),
    (error: unknown) => port.postMessage(failure(0, error)),
  );
  port.on("message", (call: WorkerCall) => {
    ready
      .then((database) => answer(database, call))
      .then(
        (value) => port.postMessage({ id: call.id, ok: true, value } satisfies WorkerReply),
        (error: unknown) => port.postMessage(failure(call.id, error)),
      );
  });
}

function failure(id: number, error: unknown): WorkerReply {
  const { message, code, severity } = error as { message?: string; code?: string; severity?: string };
  const isCrash = severity === "PANIC" || severity === "FATAL";
  return { id, ok: false, message: message ?? String(error), code: code ?? null, isCrash };
}
