import Type from "typebox";
import { ledgerAccounts } from "../../ports-reports.ts";
import { grant } from "./grants.ts";
import { amount, id, oneOf, orNull, strict, time, usd } from "./shared.ts";

export const entry = Type.Object(
  {
    id: Type.String(),
    transaction_id: Type.String(),
    kind: Type.String(),
    ledger_account: oneOf([...ledgerAccounts]),
    account_id: id("acc"),
    grant_id: orNull(id("grt")),
    amount,
    amount_usd: usd,
    seq: orNull(Type.Integer({ description: "The account's own numbering, gap-free; of customer entries." })),
    balance_after: orNull(amount),
    corrects: orNull(Type.String({ description: "The request or grant that this entry corrects." })),
    created_at: time,
  },
  { ...strict, title: "Entry" },
);
export const ledgerTransaction = Type.Object(
  {
    id: id("tx"),
    kind: Type.String(),
    account_id: id("acc"),
    request_id: id("req"),
    amount,
    reason: Type.String(),
    entries: Type.Array(entry),
  },
  { ...strict, title: "LedgerTransaction" },
);
export const grantVoided = Type.Object(
  { grant, transaction_id: orNull(id("tx")), amount },
  { ...strict, title: "GrantVoided" },
);
export const verification = Type.Object(
  {
    ok: Type.Boolean(),
    checks: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          description: Type.String(),
          ok: Type.Boolean(),
          checked: Type.Integer({ description: "Rows that were looked at." }),
          first_bad: orNull(Type.Record(Type.String(), Type.Unknown())),
          duration_ms: Type.Number(),
        },
        strict,
      ),
    ),
  },
  { ...strict, title: "Verification" },
);
