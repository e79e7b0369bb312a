-- What was last heard from each outside system, by whichever node spoke with it.
create table outside_systems (
  system text not null constraint outside_systems_pkey primary key constraint outside_systems_system_check check (system ~ '^[a-z0-9_.-]{1,64}$'),
  last_success_at timestamptz,
  last_failure_at timestamptz,
  last_failure text constraint outside_systems_last_failure_check check (char_length(last_failure) <= 300)
);
alter table outside_systems enable row level security;
alter table nodes
  add column commit_id text not null default '' constraint nodes_commit_id_check check (char_length(commit_id) <= 40),
  add column schema text not null default '' constraint nodes_schema_check check (char_length(schema) <= 100),
  -- A peer that forwards for others and is no trusted proxy, as this node met it last.
  add column untrusted_peer inet,
  add column untrusted_peer_at timestamptz;
alter table installation
  -- The random id that lies in the folder of local files; null: no node has kept files on a disk yet.
  add column store_marker uuid,
  -- The last backup that the command line made.
  add column backed_up_at timestamptz;
