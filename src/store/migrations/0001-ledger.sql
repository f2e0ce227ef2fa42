-- The ledger: accounts, keys, grants, holds, requests and balanced, immutable entries.
-- Why: one schema for PostgreSQL and the embedded database. Locks: none that matter, all tables are new.

-- Whole pico-USD. `numeric` because sums outgrow bigint at 9.2 million dollars; the checks refuse fractions instead of rounding.
create domain pusd as numeric check (value = trunc(value) and abs(value) < 1e30);

create table meta (
  key text primary key,
  value text not null
);

create table accounts (
  id text primary key,
  name text not null,
  external_id text unique,
  metadata jsonb not null default '{}',
  status text not null default 'active' check (status in ('active', 'frozen')),
  is_demo boolean not null default false,
  created_at timestamptz not null default clock_timestamp()
);

-- The hot row of an account, apart from what people edit. available = posted - held, never below zero.
create table balances (
  account_id text primary key references accounts (id),
  posted pusd not null default 0,
  held pusd not null default 0,
  -- Number of the account's last customer entry; gap-free.
  seq bigint not null default 0,
  check (held >= 0 and posted >= held)
) with (fillfactor = 50);

create table grants (
  id text primary key,
  account_id text not null references accounts (id),
  kind text not null check (kind in ('paid', 'promotional', 'refund')),
  priority int not null default 50 check (priority between 0 and 100),
  amount pusd not null check (amount > 0),
  -- Not yet burned; `reserved` is the part of it that open holds have taken.
  remaining pusd not null,
  reserved pusd not null default 0,
  reference text,
  expires_at timestamptz,
  voided_at timestamptz,
  is_expired boolean not null default false,
  -- Apart from `remaining`, so that the index of live grants changes only when one is used up: every request writes here.
  is_spent boolean generated always as (remaining = 0) stored,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  check (reserved >= 0 and remaining >= reserved and remaining <= amount),
  unique (account_id, reference)
) with (fillfactor = 50);
create index grants_live on grants (account_id) where not is_spent;

create table keys (
  id text primary key,
  account_id text not null references accounts (id),
  name text not null,
  display text not null,
  models text[],
  spend_limit pusd check (spend_limit >= 0),
  spend_window text check (spend_window in ('hour', 'day', 'week', 'month', 'total')),
  rpm int check (rpm > 0),
  tpm int check (tpm > 0),
  max_concurrent int check (max_concurrent > 0),
  settings jsonb not null default '{}',
  expires_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  check ((spend_limit is null) = (spend_window is null))
);
create index keys_account on keys (account_id);

-- SHA-256 of each secret that may still be used; two of one key during a rotation.
create table key_secrets (
  hash bytea primary key,
  key_id text not null references keys (id),
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz
);
create index key_secrets_key on key_secrets (key_id);

-- Counters behind a key's limits. Guarded by the lock on its account's balance row.
create table key_counters (
  key_id text primary key references keys (id),
  window_start timestamptz,
  window_spent pusd not null default 0,
  window_held pusd not null default 0,
  -- Token buckets, refilled by the database clock; a level may go below zero when a request used more than foreseen.
  request_level numeric,
  token_level numeric,
  levels_at timestamptz,
  open_requests int not null default 0,
  spent_total pusd not null default 0,
  last_used_at timestamptz
) with (fillfactor = 50);

-- One row per gateway process and epoch. A process whose lease lapsed takes a new row before it holds again.
create table instances (
  id text primary key,
  started_at timestamptz not null default clock_timestamp(),
  lease_until timestamptz not null,
  about jsonb not null default '{}'
);

-- Open holds only: a terminal one moves to `requests`, so this table stays as small as the traffic in flight.
-- Account and key are checked by ledger_hold, once for a batch; foreign keys would look them up again for every row. There
-- is no index but the key: every request writes here twice, and only people and recovery look through it.
create table holds (
  id text primary key,
  account_id text not null,
  key_id text,
  instance_id text not null,
  amount pusd not null check (amount >= 0),
  grant_ids text[] not null,
  grant_amounts numeric[] not null,
  reserved_tokens bigint not null,
  -- As it was written; nothing searches inside it, and json costs a third of what jsonb does to take in.
  request json not null,
  progress jsonb,
  progress_at timestamptz,
  created_at timestamptz not null
) with (fillfactor = 60);

-- One row per finished request. `grant_ids`/`grant_amounts` say which grants paid the charge, in burn order.
create table requests (
  id text primary key,
  account_id text not null,
  key_id text,
  state text not null check (state in ('settled', 'released', 'refused')),
  outcome text not null,
  model_requested text not null,
  model_served text,
  endpoint text,
  source text,
  stream boolean not null,
  hold pusd not null,
  charge pusd not null,
  vendor_cost pusd not null,
  loss pusd not null,
  input bigint,
  cached_input bigint,
  cache_write bigint,
  output bigint,
  reasoning bigint,
  total bigint,
  grant_ids text[] not null,
  grant_amounts numeric[] not null,
  record json not null,
  created_at timestamptz not null,
  settled_at timestamptz not null,
  check (charge >= 0 and charge <= hold and loss >= 0)
);
create index requests_account on requests (account_id, id);

create table entries (
  id bigint generated always as identity primary key,
  -- The ledger transaction: a request id for a settlement, else the id of the grant, refund, void or expiry.
  tx_id text not null,
  kind text not null,
  ledger_account text not null check (ledger_account in
    ('customer', 'earnings', 'vendor_cost', 'vendor_payable', 'cash', 'promotional', 'breakage', 'loss')),
  account_id text not null,
  grant_id text,
  amount pusd not null,
  -- Of customer entries only: the account's own numbering, and what was posted after it.
  seq bigint,
  balance_after pusd,
  corrects text,
  created_at timestamptz not null,
  check (case when ledger_account = 'customer' then seq is not null and balance_after >= 0 else seq is null end)
);
create unique index entries_account_seq on entries (account_id, seq) where seq is not null;
create index entries_tx on entries (tx_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'Cannot % rows of %: ledger entries are immutable; correct them with a new entry', lower(tg_op), tg_table_name;
end $$;
create trigger entries_immutable before update or delete on entries for each row execute function refuse_change();
create trigger entries_not_truncated before truncate on entries for each statement execute function refuse_change();

-- Sums per hour for reports, written in the batch that settles. The account's lock guards its rows.
create table usage_rollups (
  bucket timestamptz not null,
  account_id text not null,
  key_id text not null,
  model text not null,
  endpoint text not null,
  source text not null,
  requests bigint not null,
  input bigint not null,
  cached_input bigint not null,
  cache_write bigint not null,
  output bigint not null,
  reasoning bigint not null,
  charge pusd not null,
  vendor_cost pusd not null,
  loss pusd not null,
  primary key (bucket, account_id, key_id, model, endpoint, source)
) with (fillfactor = 70);

-- First results by Idempotency-Key. `scope` is an account id on the data plane and 'admin' on the admin API.
create table idempotency (
  scope text not null,
  key text not null,
  fingerprint text not null,
  request_id text not null,
  -- Null while the first one runs.
  status int,
  headers jsonb,
  body bytea,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  primary key (scope, key)
);
create index idempotency_expiry on idempotency (expires_at);

-- Published price rows, beside the built-in ones. Never edited, only superseded by a later one.
create table price_rows (
  id text primary key,
  row jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);

-- What was learned about a deployment from its answers or by a probe.
create table lessons (
  endpoint text not null,
  deployment text not null,
  lesson text not null,
  value jsonb not null,
  evidence text not null,
  learned_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  primary key (endpoint, deployment, lesson)
);

create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  target text not null,
  before jsonb,
  after jsonb
);
