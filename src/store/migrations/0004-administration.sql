-- Administration: tokens with roles, reasons of ledger transactions, and the lists people look through.
-- Why: who may do what and why it was done belong beside the books. Locks: indexes on tables that may be busy are made
-- while writers wait; a database of the version before is small.

create table admin_tokens (
  id text primary key,
  name text not null,
  display text not null,
  -- SHA-256 of the secret.
  hash bytea not null unique,
  role text not null check (role in ('owner', 'operator', 'finance', 'viewer')),
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);

-- Why a refund or a void was made. Entries stay as they are; this says what people said.
create table transaction_notes (
  tx_id text primary key,
  actor text not null,
  reason text not null,
  created_at timestamptz not null default clock_timestamp()
);

-- Requests are found by id, which sorts by time; by time itself a few bytes for each range of pages do.
create index requests_created on requests using brin (created_at) with (autosummarize = on);
-- Entries of one batch share their time, so that this index keeps them in one place of a few bytes each.
create index entries_created on entries (created_at);
create index entries_account on entries (account_id, id);
create index grants_account on grants (account_id, id);
-- What people did to an account's money, without the settlements between.
create index entries_moves on entries (account_id, kind)
  where ledger_account = 'customer' and kind in ('grant', 'void', 'expiry', 'refund');
create index usage_rollups_account on usage_rollups (account_id, bucket);
create index audit_target on audit_log (target, id);

create function refuse_rewrite() returns trigger language plpgsql as $$
begin
  raise exception 'Cannot % rows of %: what was written there stays; add a new row', lower(tg_op), tg_table_name;
end $$;
create trigger audit_immutable before update or delete on audit_log for each row execute function refuse_rewrite();
create trigger audit_not_truncated before truncate on audit_log for each statement execute function refuse_rewrite();
create trigger notes_immutable before update or delete on transaction_notes for each row execute function refuse_rewrite();
create trigger prices_immutable before update or delete on price_rows for each row execute function refuse_rewrite();

-- Text of a whole number as a number, and null for anything else, so that a check meets a bad record without failing on it.
-- The length is asked apart: a bound within the expression makes it several times slower.
create function whole_number(p_text text) returns numeric language sql immutable parallel safe as $$
  select case when p_text ~ '^-?[0-9]+$' and length(p_text) <= 60 then p_text::numeric end
$$;
