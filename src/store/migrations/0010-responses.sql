-- Responses that vendors keep: which account made them, and background runs whose usage comes later.
-- Why: a stored response may be read by its maker alone, and a run outlives the process that began it.
-- Locks: new tables, and one index on the keys of requests in flight.

create table responses (
  account_id text not null references accounts (id),
  -- The vendor's id.
  id text not null,
  request_id text not null,
  endpoint text not null,
  deployment text not null,
  -- running: a background run that has not ended; the hold of its request is open.
  state text not null check (state in ('running', 'ended')),
  terms jsonb,
  poll_at timestamptz,
  polls int not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  primary key (account_id, id),
  check ((state = 'running') = (poll_at is not null)),
  check (state = 'ended' or terms is not null)
);
create index responses_due on responses (poll_at) where state = 'running';
create index responses_running on responses (request_id) where state = 'running';
create index responses_age on responses (created_at);

-- Output items and containers of a response, which a later request may name.
create table response_parts (
  account_id text not null,
  id text not null,
  response_id text not null,
  primary key (account_id, id),
  foreign key (account_id, response_id) references responses (account_id, id) on delete cascade
);
create index response_parts_response on response_parts (account_id, response_id);

create index idempotency_running on idempotency (request_id) where status is null;
