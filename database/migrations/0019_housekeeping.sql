-- What this installation is, and what is kept of work that takes more than one statement.

-- One row: the id stands in the store of files too, so that a store that is not mounted, or another one's, is known as such.
create table installation (
  is_only boolean primary key default true constraint installation_only_check check (is_only),
  id uuid not null default gen_random_uuid(),
  -- When the store was first given our id; null: not yet.
  store_marked_at timestamptz,
  -- The restore (setting reelbase.restored_at) whose jobs were dealt with; submitting waits for it.
  restore_handled text constraint installation_restore_handled_check check (char_length(restore_handled) <= 200)
);
insert into installation default values;

alter table schedules
  -- Somebody asks for it now, and with what.
  add column requested_at timestamptz,
  add column request jsonb,
  -- How far the current run has come: whoever follows a dead node goes on from here.
  add column progress jsonb;
update schedules set requested_at = now(), report = nullif(report - 'requested', '{}') where report ? 'requested';

alter table error_log
  -- How many errors this row stands for: in a flood the first of a kind are rows, and the others are counted on the last of them.
  add column occurrences bigint not null default 1,
  -- A digest of code, route and address; the address itself is not kept.
  add column sample_key bytea,
  -- True of every row by the default; not looked at again, which would read the whole table under its lock.
  add constraint error_log_occurrences_check check (occurrences > 0) not valid;
