create or replace function accept_store(p_marker uuid) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update installation set store_marker = p_marker, store_marked_at = coalesce(store_marked_at, clock_timestamp())
$$;
comment on function accept_store(uuid) is
  'The operator''s word that another folder of local files is this installation''s from now on.';
