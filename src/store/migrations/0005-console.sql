-- People at the console: one-time login links, sessions, and the short-lived tokens of customers' pages.
-- Why here: a session holds at every process of the installation, and ends at all of them at once. Only SHA-256 hashes are
-- kept. `epoch` stands for the configured admin token: when that changes, links and sessions made under it are dead.
-- Locks: none that matter, all tables are new.

create table console_links (
  hash bytea primary key,
  actor text not null,
  role text not null check (role in ('owner', 'operator', 'finance', 'viewer')),
  token_id text references admin_tokens (id),
  epoch text not null,
  expires_at timestamptz not null
);

create table console_sessions (
  hash bytea primary key,
  actor text not null,
  role text not null check (role in ('owner', 'operator', 'finance', 'viewer')),
  token_id text references admin_tokens (id),
  epoch text not null,
  created_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  ends_at timestamptz not null
) with (fillfactor = 70);

create table portal_tokens (
  hash bytea primary key,
  account_id text not null references accounts (id),
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null
);
