create or replace function has_stored_objects() returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (select from storage_objects o where o.state = 'stored')
$$;
comment on function has_stored_objects() is 'Whether there is any file that the store should hold.';
