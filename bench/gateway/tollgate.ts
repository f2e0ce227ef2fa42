/** Tollgate as a contestant: the real process on a real store, or without ledger writes. Arguments: store, vendor's URL. */

import { randomBytes } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccount } from "../../src/billing/accounts.ts";
import type { Desk } from "../../src/billing/desk.ts";
import { addGrant } from "../../src/billing/grants.ts";
import { createKey } from "../../src/billing/keys.ts";
import { startGateway } from "../../src/cli/gateway-process.ts";
import { loadConfig } from "../../src/config/load.ts";
import { createMemoryLedger } from "./memory-ledger.ts";

export async function main([store = "memory", vendor = ""]: readonly string[]): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
  const file = join(home, "tollgate.yaml");
  const place = store === "memory" || store === "pglite" ? join(home, "data") : store;
  const model = (name: string, endpoint: string): string =>
    `  ${name}: { deployments: [{ endpoint: ${endpoint}, deployment: gpt-4.1-nano, model: gpt-4.1-nano }] }`;
  writeFileSync(
    file,
    `server: { host: 127.0.0.1, port: 0 }
store: ${JSON.stringify(place)}
limits: { concurrent_requests: 5000 }
endpoints:
  fast: { kind: openai, base_url: "${vendor}/fast/v1", api_key: k }
  paced: { kind: openai, base_url: "${vendor}/paced/v1", api_key: k }
models:
${model("fast", "fast")}
${model("paced", "paced")}
`,
  );
  const config = loadConfig({ flags: { config: file }, env: {}, cwd: home, pricedModels: () => [] });
  const memory = store === "memory" ? createMemoryLedger() : null;
  const gateway = await startGateway({
    config,
    logLevel: "silent",
    progress: () => undefined,
    ...(memory === null ? {} : { ledger: memory }),
  });
  const desk: Desk = {
    tables: gateway.store,
    clock: gateway.clock,
    ids: gateway.ids,
    random: randomBytes,
    credit: config.credit.unit,
    actor: "bench",
  };
  const account = await createAccount(desk, { name: "bench", externalId: null, metadata: {}, isDemo: false });
  if (!account.ok) throw new Error(account.refusal.message);
  await addGrant(desk, {
    accountId: account.value.id,
    amount: "1000000",
    kind: "paid",
    priority: 50,
    expiresAt: null,
    reference: null,
  });
  const terms = {
    name: "bench",
    models: null,
    spendLimit: null,
    spendWindow: null,
    rpm: null,
    tpm: null,
    maxConcurrent: null,
    settings: { usageCost: false, idempotency: false },
    expiresAt: null,
  };
  const key = await createKey(desk, account.value.id, terms);
  if (!key.ok) throw new Error(key.refusal.message);
  process.on("message", async (message) => {
    if (message !== "charged") return;
    const rows =
      memory === null
        ? await gateway.db.query<{ total: number | null }>(
            "select sum(total)::bigint as total from requests where state = 'settled'",
          )
        : [];
    process.send?.({ charged: memory === null ? rows[0]?.total : memory.chargedTokens() });
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ port: Number(new URL(gateway.url).port), key: key.value.secret });
}
