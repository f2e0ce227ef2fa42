/** A whole gateway in this process, in front of simulators or a replaying vendor, on a database of the run. */

import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccount } from "../../src/billing/accounts.ts";
import type { Desk } from "../../src/billing/desk.ts";
import { addGrant } from "../../src/billing/grants.ts";
import { createKey, type KeyTerms } from "../../src/billing/keys.ts";
import { type GatewayOptions, type RunningGateway, startGateway } from "../../src/cli/gateway-process.ts";
import { loadConfig } from "../../src/config/load.ts";
import { newPostgresUrl } from "./databases.ts";

export interface TestGateway extends RunningGateway {
  /** A new account with credit and a key. */
  customer(credits: string, terms?: Partial<KeyTerms>): Promise<{ accountId: string; key: string }>;
  balance(accountId: string): Promise<{ posted: string; held: string }>;
  /** The request records of the account, newest first; or the one with the id. */
  records(accountId: string, id?: string): Promise<RequestRow[]>;
  /** Posts JSON with a key. */
  post(path: string, key: string, body: unknown, init?: RequestInit): Promise<Response>;
}

export interface RequestRow {
  readonly id: string;
  readonly state: string;
  readonly outcome: string;
  readonly source: string | null;
  readonly model_served: string | null;
  readonly hold: string;
  readonly charge: string;
  readonly loss: string;
  readonly vendor_cost: string;
  readonly input: number | null;
  readonly cached_input: number | null;
  readonly cache_write: number | null;
  readonly output: number | null;
  readonly reasoning: number | null;
  readonly total: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the record is JSON of the contract; tests look at single fields.
  readonly record: any;
}

export interface TestGatewayOptions {
  /** The configuration file's text, without `store` and `server`. */
  readonly yaml: string;
  readonly store?: "postgres" | "pglite";
  /** A PostgreSQL database that another gateway uses as well; instead of `store`. */
  readonly databaseUrl?: string;
  readonly extend?: GatewayOptions["extend"];
}

export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const home = mkdtempSync(join(tmpdir(), "tollgate-test-"));
  const store =
    options.databaseUrl ?? (options.store === "pglite" ? join(home, "data") : await newPostgresUrl());
  const file = join(home, "tollgate.yaml");
  const admin = "admin: { token: tg-adm-test-token-of-this-run }";
  writeFileSync(
    file,
    `server: { host: 127.0.0.1, port: 0 }\nstore: ${JSON.stringify(store)}\n${admin}\n${options.yaml}`,
  );
  const config = loadConfig({ flags: { config: file }, env: {}, cwd: home, pricedModels: () => [] });
  const gateway = await startGateway({
    config,
    logLevel: process.env["TEST_LOG"] ?? "silent",
    progress: () => undefined,
    ...(options.extend === undefined ? {} : { extend: options.extend }),
  });
  const desk = (): Desk => ({
    tables: gateway.store,
    clock: gateway.clock,
    ids: gateway.ids,
    random: randomBytes,
    credit: config.credit.unit,
    actor: "test",
  });
  return {
    ...gateway,
    async customer(credits, terms = {}) {
      const account = unwrap(
        await createAccount(desk(), { name: "acme", externalId: null, metadata: {}, isDemo: false }),
      );
      if (credits !== "0") {
        unwrap(
          await addGrant(desk(), {
            accountId: account.id,
            amount: credits,
            kind: "paid",
            priority: 50,
            expiresAt: null,
            reference: null,
            metadata: {},
          } as never),
        );
      }
      const all: KeyTerms = {
        name: "test",
        models: null,
        spendLimit: null,
        spendWindow: null,
        rpm: null,
        tpm: null,
        maxConcurrent: null,
        settings: { usageCost: false, idempotency: true },
        expiresAt: null,
        ...terms,
      };
      const { secret } = unwrap(await createKey(desk(), account.id, all));
      return { accountId: account.id, key: secret };
    },
    async balance(accountId) {
      const [row] = await gateway.db.query<{ posted: string; held: string }>(
        "select posted::text, held::text from balances where account_id = $1",
        [accountId],
      );
      if (row === undefined) throw new Error(`no balance of ${accountId}`);
      return row;
    },
    records: (accountId, id) =>
      gateway.db.query<RequestRow>(
        `select id, state, outcome, source, model_served, hold::text, charge::text, loss::text, vendor_cost::text,
           input, cached_input, cache_write, output, reasoning, total, record
         from requests where account_id = $1 and ($2::text is null or id = $2) order by id desc`,
        [accountId, id ?? null],
      ),
    post: (path, key, body, init = {}) =>
      fetch(`${gateway.url}${path}`, {
        method: "POST",
        body: typeof body === "string" ? body : JSON.stringify(body),
        ...init,
        headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...init.headers },
      }),
  };
}

function unwrap<Value>(outcome: { ok: true; value: Value } | { ok: false; refusal?: unknown }): Value {
  if (!outcome.ok) throw new Error(`the test's own set-up was refused: ${JSON.stringify(outcome)}`);
  return outcome.value;
}

export const usageOf = (row: RequestRow | undefined): string =>
  `${row?.input}/${row?.output}/${row?.total} ${row?.source}`;
