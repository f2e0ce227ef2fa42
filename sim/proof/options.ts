import { parseArgs } from "node:util";

/** What one proof run does. The same options and seed draw the same requests and the same kinds of kills. */
export interface ProofOptions {
  readonly requests: number;
  /** Processes that are killed, gateways and the database together. */
  readonly kills: number;
  /** Gateway processes; one on the embedded database. */
  readonly processes: number;
  readonly store: "postgres" | "pglite";
  readonly seed: number;
  /** Requests at a time. */
  readonly concurrency: number;
  /** Share of the database's answers to ledger batches that are cut off after they were sent, 0 to 1 (PostgreSQL). */
  readonly lostReplies: number;
  /** Whether the gateways' clocks are wrong: the first a day behind, the last a day ahead. */
  readonly isSkewed: boolean;
  /** How often the file system of the database is filled up: `home`, on a small one, or one that is made for it. */
  readonly diskFull: number;
  /** Whether the disk is made full by a limit on the size of files, not by filling it. */
  readonly isDiskLimited: boolean;
  /** Where the database keeps its files; a temporary directory without it. */
  readonly home: string | null;
}

export const defaults: ProofOptions = {
  requests: 500,
  kills: 10,
  processes: 3,
  store: "postgres",
  seed: 1,
  concurrency: 24,
  lostReplies: 0,
  isSkewed: false,
  diskFull: 0,
  isDiskLimited: false,
  home: null,
};

export const usage = `npm run proof -- [options]: real gateways, a vendor that keeps its own bill, kills; then the books against the bill

  --requests N      requests to send (${defaults.requests})
  --kills K         processes to kill: gateways, and PostgreSQL (${defaults.kills})
  --processes P     gateway processes (${defaults.processes}; 1 on pglite)
  --store S         postgres or pglite (${defaults.store})
  --seed N          what is drawn (${defaults.seed})
  --concurrency N   requests at a time (${defaults.concurrency})
  --lost-replies X  share of the database's answers that never arrive, 0 to 1 (postgres)
  --skew            clocks of the gateways a day behind and a day ahead
  --disk-full N     fill the database's file system N times: one named with --home, or one that is made for it; where
                    that is not allowed, keep the database from writing by a limit on the size of its files
  --disk-limit      the latter in any case (Linux)
  --home DIR        where the database keeps its files (a temporary folder)
  --json            the result as one JSON object
`;

export function readOptions(args: string[]): { options: ProofOptions; json: boolean } | null {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: "string" },
      kills: { type: "string" },
      processes: { type: "string" },
      store: { type: "string" },
      seed: { type: "string" },
      concurrency: { type: "string" },
      "lost-replies": { type: "string" },
      skew: { type: "boolean" },
      "disk-full": { type: "string" },
      "disk-limit": { type: "boolean" },
      home: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return null;
  const { store = defaults.store } = values;
  if (store !== "postgres" && store !== "pglite")
    throw new Error("Cannot run: --store is postgres or pglite");
  const count = (text: string | undefined, fallback: number): number => {
    if (text === undefined) return fallback;
    if (!/^\d+$/.test(text)) throw new Error(`Cannot read "${text}" as a count`);
    return Number(text);
  };
  const options: ProofOptions = {
    requests: count(values.requests, defaults.requests),
    kills: count(values.kills, defaults.kills),
    processes: store === "pglite" ? 1 : count(values.processes, defaults.processes),
    store,
    seed: count(values.seed, defaults.seed),
    concurrency: count(values.concurrency, defaults.concurrency),
    lostReplies: values["lost-replies"] === undefined ? 0 : Number(values["lost-replies"]),
    isSkewed: values.skew === true,
    diskFull: count(values["disk-full"], 0),
    isDiskLimited: values["disk-limit"] === true,
    home: values.home ?? null,
  };
  return { options, json: values.json === true };
}
