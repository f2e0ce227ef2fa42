-- Answers with vendor usage, counted again by simpler means: how good the estimates are, and what they would have cost.
-- Why a table of its own: reports over it must not read every request. Locks: none, the table is new.

create table usage_samples (
  request_id text primary key,
  endpoint text not null,
  deployment text not null,
  model text not null,
  kind text not null check (kind in ('plain', 'reasoning', 'tools', 'media', 'embeddings')),
  input bigint not null check (input >= 0),
  output bigint not null check (output >= 0),
  reasoning bigint not null check (reasoning >= 0),
  estimated_input bigint not null check (estimated_input >= 0),
  estimated_output bigint not null check (estimated_output >= 0),
  input_characters bigint not null check (input_characters >= 0),
  output_characters bigint not null check (output_characters >= 0),
  -- What one token of plain input or output was sold for; null = no such price.
  input_price pusd,
  output_price pusd,
  created_at timestamptz not null default clock_timestamp()
);
create index usage_samples_created on usage_samples (created_at);
