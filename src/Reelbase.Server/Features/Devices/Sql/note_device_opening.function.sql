-- Keeps for ten minutes whom a device id and a token have opened. What is too old needs no memory; a few at each opening keep the table as small as the
-- openings of its last minutes.
create or replace function internal.note_device_opening(p_token_hash bytea, p_device_hash bytea, p_user_id uuid) returns void
-- A connection keeps the plan that it made while the table was small; without this that plan reads the whole table for as long as the connection lives.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off as $$
begin
  -- now() and the order, so that the index says at once that nothing is old; clock_timestamp() would be asked for every row.
  delete from device_openings where ctid = any (array(
    select o.ctid from device_openings o where o.opened_at < now() - interval '10 minutes' order by o.opened_at limit 10 for update skip locked));
  insert into device_openings (token_hash, device_hash, user_id) values (p_token_hash, p_device_hash, p_user_id)
  on conflict (token_hash, device_hash) do update set user_id = excluded.user_id, opened_at = clock_timestamp();
end
$$;
comment on function internal.note_device_opening(bytea, bytea, uuid) is 'Remembers whom a device id and a token have opened. Internal to open_device.';
