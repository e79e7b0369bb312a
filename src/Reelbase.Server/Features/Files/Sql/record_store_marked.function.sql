create or replace function record_store_marked() returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update installation set store_marked_at = coalesce(store_marked_at, clock_timestamp())
$$;
comment on function record_store_marked() is 'Notes that the store of files carries the id of this installation: one without it is another one from now on.';
