-- Of two assertions with one counter, at the same time and on whichever nodes, one passes: the row is compared and raised in one statement.
create or replace function raise_device_key_counter(p_key_id bytea, p_device_id text, p_counter bigint) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update device_keys set counter = p_counter, last_used_at = clock_timestamp()
  where key_id = p_key_id and device_hash = device_id_hash(p_device_id) and counter < p_counter;
  return found;
end
$$;
comment on function raise_device_key_counter(bytea, text, bigint) is 'Raises the counter of a device''s key; false when it is not greater than the last one.';
