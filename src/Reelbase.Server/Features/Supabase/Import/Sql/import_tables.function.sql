-- Where a batch of another database lies for the length of its transaction: rows as they came, and what was made of them on the way.
create or replace function internal.import_tables() returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  create temporary table import_rows (kind text not null, o jsonb not null) on commit delete rows;
  create temporary table import_users (id uuid primary key, o jsonb not null) on commit delete rows;
  create temporary table import_jobs (job_id uuid primary key, user_id uuid not null, o jsonb not null) on commit delete rows;
  create temporary table import_ledger (
    id uuid not null, user_id uuid not null, place bigint not null, job_id uuid, change integer not null, reason text not null, created_at timestamptz not null,
    transaction_id text, note text) on commit delete rows;
end
$$;
comment on function internal.import_tables() is 'Makes the session''s temporary tables of an import. For the import, which runs as the owner.';
