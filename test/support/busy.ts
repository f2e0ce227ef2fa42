/** A ledger on which everything has happened that can: the ground on which verification and reports are tested. */
import { type PicoUsd, parseUsd } from "../../src/core/money.ts";
import type { SettleOperation } from "../../src/ports.ts";
import type { Db } from "../../src/store/db.ts";
import { type Books, openBooks } from "./books.ts";

/** A settlement whose bill adds up: one line of `units` units at 1/1000 of a dollar. */
export function billed(
  units: number,
  more: Partial<SettleOperation> & { readonly hold?: string } = {},
): Partial<SettleOperation> {
  const unit = parseUsd("0.001");
  const { hold, ...rest } = more;
  const price = unit * BigInt(units);
  const cap: bigint = hold === undefined ? price : parseUsd(hold);
  const loss = (price > cap ? price - cap : 0n) as PicoUsd;
  const lines = [line("output", units, unit), ...(loss > 0n ? [line("beyond_hold", 1, -loss)] : [])];
  return {
    charge: (price - loss) as PicoUsd,
    loss,
    vendorCost: (price / 2n) as PicoUsd,
    tokens: {
      input: 2 * units,
      cachedInput: units,
      cacheWrite: 0,
      output: units,
      reasoning: 0,
      total: 3 * units,
    },
    ...rest,
    record: {
      deployment: "mini",
      priced_as: "gpt-5-mini",
      attempts: [
        {
          endpoint: rest.endpoint ?? "sim",
          vendor_request_id: `v_${attempts++}`,
          started_at: "2026-01-01T00:00:00.000Z",
        },
      ],
      usage: { source: "vendor", method: null, bound: null, reason: null },
      price_lines: lines,
      ...rest.record,
    },
  };
}
let attempts = 0;

const line = (kind: string, quantity: number, unitPrice: bigint): Record<string, unknown> => ({
  kind,
  quantity,
  unit_price_pusd: unitPrice.toString(),
  list_price_pusd: (unitPrice < 0n ? 0n : unitPrice / 2n).toString(),
  amount_pusd: (unitPrice * BigInt(quantity)).toString(),
});

export async function makeBusy(db: Db): Promise<Books> {
  const books = await openBooks(db);
  const run = async (
    id: string,
    account: string,
    units: number,
    more: Parameters<typeof billed>[1] & { key?: string } = {},
  ): Promise<void> => {
    const { key, ...settle } = more;
    const keyId = key ?? null;
    await books.hold(id, account, settle.hold ?? "1", { keyId });
    await books.settle(id, account, "0", { ...billed(units, settle), keyId });
  };
  await books.account("acc_a", [
    { id: "grt_a1", usd: "5", priority: 10 },
    { id: "grt_a2", usd: "5", kind: "promotional" },
    { id: "grt_a3", usd: "1", expiresAt: "2020-01-01T00:00:00Z" },
  ]);
  await books.account("acc_b", [
    { id: "grt_b1", usd: "20" },
    { id: "grt_b2", usd: "3" },
  ]);
  await books.account("acc_c");
  await books.key("key_a", "acc_a", {
    spend_limit: parseUsd("100").toString(),
    spend_window: "day",
    rpm: 1000,
    tpm: 1000000,
  });
  await books.key("key_b", "acc_b");
  await run("req_01", "acc_a", 370, { key: "key_a" });
  await run("req_02", "acc_a", 900, { key: "key_a", source: "estimated", endpoint: "azure" });
  await run("req_03", "acc_a", 4600, { key: "key_a", hold: "4.5", modelServed: "gpt-4o" });
  await run("req_04", "acc_b", 100, { key: "key_b" });
  await run("req_05", "acc_b", 10);
  await books.hold("req_06", "acc_b", "0.5");
  await books.release("req_06", "acc_b");
  await books.hold("req_07", "acc_b", "500");
  await books.hold("req_08", "acc_b", "2", {
    keyId: "key_b",
    idempotency: { key: "again", fingerprint: "f" },
  });
  await books.settle("req_08", "acc_b", "0", { ...billed(50), keyId: "key_b" });
  await books.ledger.rememberResult("acc_b", "again", {
    status: 200,
    headers: {},
    body: new Uint8Array([1]),
  });
  await books.hold("req_09", "acc_a", "0.7", { keyId: "key_a" });
  await books.hold("req_10", "acc_b", "19.99");
  await db.query("select ledger_expire('acc_a', 10)");
  await db.query("select ledger_refund('tx_1', 'req_03', 300000000000, interval '30 days')");
  await db.query("select ledger_void('tx_2', 'grt_b2')");
  await db.query("select ledger_probe('probe_1', 1143000000)");
  const probe = JSON.stringify({ id: "probe_1", known_usd: "0.001143" });
  await db.query(
    "insert into audit_log (actor, action, target, after) values ('owner', 'endpoint.probe', 'azure', $1)",
    [probe],
  );
  await db.query(
    "insert into transaction_notes (tx_id, actor, reason) values ('tx_1', 'owner', 'it was slow')",
  );
  return books;
}
