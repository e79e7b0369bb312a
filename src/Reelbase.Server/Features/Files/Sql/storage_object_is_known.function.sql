create or replace function storage_object_is_known(p_bucket text, p_name text) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (select from storage_objects o where o.bucket = p_bucket and o.name = p_name)
$$;
comment on function storage_object_is_known(text, text) is 'Whether a file has a row, in whatever state.';
