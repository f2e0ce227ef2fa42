/** What must hold at the end of every hostile test file, whatever was tried in it. */
import { expect } from "vitest";
import type { BillLine } from "../../../src/simulator/bill.ts";
import { findCanaries, type Haystack } from "./canary.ts";
import { pause } from "./raw-client.ts";
import type { World } from "./world.ts";

/** The ledger proves itself, the vendor billed what was settled, and nothing shows a secret. */
export async function auditWorld(world: World, canaries: readonly string[]): Promise<void> {
  await settled(world);
  const verified = await world.admin("GET", "/ledger/verify");
  const broken = verified.json.checks.filter((check: { ok: boolean }) => !check.ok);
  expect(broken, "invariants of the ledger").toEqual([]);
  expect(await billGaps(world), "the vendor's bill against the ledger").toEqual([]);
  const haystacks = [...(await printed(world)), ...(await stored(world))];
  expect(findCanaries(haystacks, [...canaries, ...world.secrets]), "secrets and prompts shown").toEqual([]);
}

/** Requests that are still running end first, as far as they end at all. */
async function settled(world: World): Promise<void> {
  for (let waited = 0; waited < 5_000; waited += 50) {
    const [row] = await world.db.query<{ open: number }>("select count(*)::int as open from holds");
    if (row?.open === 0) return;
    await pause(50);
  }
}

/** Lines of the honest vendor's bill without their settlement, and settlements by vendor usage without their line. */
async function billGaps(world: World): Promise<readonly string[]> {
  const rows = await world.db.query<{ id: string; input: number; output: number; source: string }>(
    "select id, input, output, source from requests where endpoint = 'sim' and state = 'settled'",
  );
  const billed = new Map<string, BillLine>();
  for (const line of world.simulator.bill())
    if (line.billed && line.client_request_id !== null) billed.set(line.client_request_id, line);
  const unpaid = [...billed]
    .filter(([id]) => !rows.some((row) => row.id === id))
    .map(([id]) => `${id} was billed and not charged`);
  const wrong = rows
    .filter((row) => row.source === "vendor")
    .filter((row) => billed.get(row.id)?.input !== row.input || billed.get(row.id)?.output !== row.output)
    .map(
      (row) =>
        `${row.id} was charged for ${row.input}/${row.output}, billed ${billed.get(row.id)?.input}/${billed.get(row.id)?.output}`,
    );
  return [...unpaid, ...wrong];
}

async function printed(world: World): Promise<Haystack[]> {
  const metrics = await Promise.all(
    world.gateways.map(async ({ url }) => {
      const text = await fetch(`${url}/metrics`).then(
        (answer) => answer.text(),
        () => "",
      );
      return { place: "/metrics", text };
    }),
  );
  return [
    ...metrics,
    ...world.gateways.map((gateway, index) => ({
      place: `output of gateway ${index + 1}`,
      text: gateway.output(),
    })),
  ];
}

/** Every table as text. Stored first results are answers of vendors, kept on purpose for their own customer. */
async function stored(world: World): Promise<Haystack[]> {
  const tables = await world.db.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' and table_name <> 'idempotency'",
  );
  return Promise.all(
    tables.map(async ({ name }) => {
      const rows = await world.db.query<{ row: string }>(`select to_jsonb(t)::text as row from "${name}" t`);
      return { place: `table ${name}`, text: rows.map(({ row }) => row).join("\n") };
    }),
  );
}
