-- Keeps for ten minutes whom a device id and a token have opened. What is too old needs no memory; a few at each opening keep the table as small as the
-- openings of its last minutes.
create or replace function note_device_opening(p_token_hash bytea, p_device_hash bytea, p_user_id uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from device_openings where (token_hash, device_hash) in (
    select o.token_hash, o.device_hash from device_openings o where o.opened_at < clock_timestamp() - interval '10 minutes' limit 10 for update skip locked);
  insert into device_openings (token_hash, device_hash, user_id) values (p_token_hash, p_device_hash, p_user_id)
  on conflict (token_hash, device_hash) do update set user_id = excluded.user_id, opened_at = clock_timestamp();
end
$$;
comment on function note_device_opening(bytea, bytea, uuid) is 'Remembers whom a device id and a token have opened. Internal to open_device.';
