-- A device id as it is shown: enough to distinguish two phones of one user, nothing that opens one.
create or replace function internal.mask_device_id(p_stored text) returns text
language sql immutable strict set search_path = internal, public, pg_temp as $$
  select left(stored_device_id(p_stored), 15) || '...'
$$;
comment on function internal.mask_device_id(text) is 'The beginning of a device id''s hash, for the console and exports. Internal to the definer functions.';
