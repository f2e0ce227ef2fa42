import type { AdminRoute } from "./route.ts";

/** One example for each route where a look says more than a table. Bodies are checked against their schemas by a test. */
export const examples: Readonly<
  Record<string, { readonly body?: object; readonly query?: string; readonly answer: object }>
> = {
  "POST /accounts": {
    body: { name: "Acme", external_id: "crm-1042" },
    answer: {
      id: "acc_01kc5m3v8e2x9q7r4t6w8y0abc",
      name: "Acme",
      external_id: "crm-1042",
      metadata: {},
      status: "active",
      is_demo: false,
      balance: { posted: "0", held: "0", available: "0" },
      created_at: "2026-11-20T09:30:00.000Z",
    },
  },
  "POST /accounts/{id}/grants": {
    body: { amount: "2500", reference: "invoice-2026-117", expires_at: "2027-11-20T00:00:00Z" },
    answer: {
      id: "grt_01kc5m41p0f6h8j2k4n6p8r0st",
      account_id: "acc_01kc5m3v8e2x9q7r4t6w8y0abc",
      kind: "paid",
      status: "active",
      priority: 50,
      amount: "2500",
      remaining: "2500",
      reserved: "0",
      reference: "invoice-2026-117",
      expires_at: "2027-11-20T00:00:00.000Z",
      voided_at: null,
      created_at: "2026-11-20T09:31:00.000Z",
    },
  },
  "POST /accounts/{id}/keys": {
    body: { name: "production", models: ["gpt-5-mini"], spend_limit: "100", spend_window: "day", rpm: 600 },
    answer: {
      id: "key_01kc5m4a7b9d1f3h5k7m9p1r3t",
      account_id: "acc_01kc5m3v8e2x9q7r4t6w8y0abc",
      name: "production",
      prefix: "sk-tg-live-",
      display: "sk-tg-live-…x2Rk",
      models: ["gpt-5-mini"],
      spend_limit: "100",
      spend_window: "day",
      window_spent: "0",
      window_held: "0",
      window_start: "2026-11-20T00:00:00.000Z",
      spent_total: "0",
      rpm: 600,
      tpm: null,
      max_concurrent: null,
      settings: { usage_cost: false, idempotency: true },
      expires_at: null,
      revoked_at: null,
      overlap_ends_at: null,
      last_used_at: null,
      created_at: "2026-11-20T09:32:00.000Z",
      // Of the right form, and with a checksum that is wrong, so that no scanner takes it for a real one.
      secret: "sk-tg-live-ExampleExampleExampleExampleExampx2Rk00",
    },
  },
  "POST /requests/{id}/refunds": {
    body: { amount: "0.5", reason: "The answer was cut off." },
    answer: {
      id: "tx_01kc5m9c3e5g7j9m1p3r5t7w9y",
      kind: "refund",
      account_id: "acc_01kc5m3v8e2x9q7r4t6w8y0abc",
      request_id: "req_01kc5m8z1b3d5f7h9k1m3p5r7t",
      amount: "0.5",
      reason: "The answer was cut off.",
      entries: [
        {
          id: "8112",
          transaction_id: "tx_01kc5m9c3e5g7j9m1p3r5t7w9y",
          kind: "refund",
          ledger_account: "customer",
          account_id: "acc_01kc5m3v8e2x9q7r4t6w8y0abc",
          grant_id: "grt_01kc5m41p0f6h8j2k4n6p8r0st",
          amount: "0.5",
          amount_usd: "0.005",
          seq: 18,
          balance_after: "2471.25",
          corrects: "req_01kc5m8z1b3d5f7h9k1m3p5r7t",
          created_at: "2026-11-20T10:02:00.000Z",
        },
        {
          id: "8113",
          transaction_id: "tx_01kc5m9c3e5g7j9m1p3r5t7w9y",
          kind: "refund",
          ledger_account: "earnings",
          account_id: "acc_01kc5m3v8e2x9q7r4t6w8y0abc",
          grant_id: null,
          amount: "-0.5",
          amount_usd: "-0.005",
          seq: null,
          balance_after: null,
          corrects: "req_01kc5m8z1b3d5f7h9k1m3p5r7t",
          created_at: "2026-11-20T10:02:00.000Z",
        },
      ],
    },
  },
  "GET /usage": {
    query: "bucket=day&tz=Europe/Berlin&group_by=model&from=2026-11-01T00:00:00Z",
    answer: {
      data: [
        {
          bucket: "2026-11-19T23:00:00.000Z",
          account_id: null,
          model: "gpt-5-mini-2025-08-07",
          endpoint: null,
          key_id: null,
          requests: 57,
          by_source: { vendor: 56, estimated: 1, none: 0 },
          input: 21_400,
          cached_input: 9_216,
          cache_write: 0,
          output: 8_950,
          reasoning: 3_072,
          charge: "2.5614",
          vendor_cost_usd: "0.021345",
          loss_usd: "0",
        },
      ],
      next_cursor: null,
      totals: {
        requests: 57,
        by_source: { vendor: 56, estimated: 1, none: 0 },
        input: 21_400,
        cached_input: 9_216,
        cache_write: 0,
        output: 8_950,
        reasoning: 3_072,
        charge: "2.5614",
        vendor_cost_usd: "0.021345",
        loss_usd: "0",
      },
    },
  },
  "POST /prices": {
    body: {
      model: "my-tuned",
      from: "2026-12-01T00:00:00Z",
      input: "0.25",
      cached_input: "0.025",
      output: "2",
      context_window: 400_000,
    },
    answer: {
      id: "operator/my-tuned@2026-12-01T00:00:00Z",
      provider: "operator",
      model: "my-tuned",
      from: "2026-12-01T00:00:00.000Z",
      prices: { input: "0.25", cached_input: "0.025", output: "2" },
      tiers: [],
      service_tiers: {},
      fees: {},
      context_window: 400_000,
      max_input_tokens: null,
      max_output_tokens: null,
      origin: "admin",
    },
  },
};

/** The example of a route as Markdown, or null where there is none. */
export function exampleOf(route: AdminRoute): string | null {
  const example = examples[`${route.method} ${route.path}`];
  if (example === undefined) return null;
  const path = route.path.replace("{id}", "$ID");
  const url = `"$TOLLGATE_URL/admin/v1${path}${example.query === undefined ? "" : `?${example.query}`}"`;
  const lines = [
    `curl ${url} -H "Authorization: Bearer $TOLLGATE_ADMIN_TOKEN"`,
    ...(example.body === undefined
      ? []
      : [
          '  -H "Content-Type: application/json" -H "Idempotency-Key: $(uuidgen)"',
          `  -d '${JSON.stringify(example.body)}'`,
        ]),
  ];
  return `\`\`\`sh\n${lines.join(" \\\n")}\n\`\`\`\n\n\`\`\`json\n${JSON.stringify(example.answer, null, 2)}\n\`\`\``;
}
