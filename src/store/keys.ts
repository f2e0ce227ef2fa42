import type { KeyIdentity, Keys } from "../ports.ts";
import { type Queryable, sql } from "./db.ts";

/** By secret, so that during a rotation the old and the new one both lead to their key. The database's clock decides. */
const selectIdentity = sql`
  select k.id, k.account_id, a.name as account_name, a.is_demo, k.models, k.settings
  from key_secrets s join keys k on k.id = s.key_id join accounts a on a.id = k.account_id
  where s.hash = $1 and (s.expires_at is null or s.expires_at > clock_timestamp())
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())`;

interface IdentityRow {
  readonly id: string;
  readonly account_id: string;
  readonly account_name: string;
  readonly is_demo: boolean;
  readonly models: string[] | null;
  readonly settings: { readonly usage_cost?: boolean; readonly idempotency?: boolean };
}

export function createKeys(db: Queryable): Keys {
  return {
    async find(hash): Promise<KeyIdentity | null> {
      const [row] = await db.query<IdentityRow>(selectIdentity, [hash]);
      if (row === undefined) return null;
      return {
        keyId: row.id,
        accountId: row.account_id,
        accountName: row.account_name,
        models: row.models,
        settings: {
          usageCost: row.settings.usage_cost === true,
          idempotency: row.settings.idempotency === true,
        },
        isDemo: row.is_demo,
      };
    },
  };
}
