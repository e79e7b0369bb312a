-- A guest without credits for a known device whose token Apple has not accepted: it could not be heard, or was asked too often. They are joined to the
-- device's guest when it accepts a token of that id. p_keep_token: the token is kept and asked about until it is stale; only a question that was counted
-- may be repeated like that. An id has at most a handful of them, those that nobody asks about go first: they stay guests and are joined no more.
create or replace function open_temporary_guest(p_device_hash text, p_device_token text, p_keep_token boolean) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  c_max_for_device constant integer := 20;
  v_token_hash bytea := sha256(convert_to(p_device_token, 'UTF8'));
  v_id uuid;
begin
  insert into users (is_guest) values (true) returning id into v_id;
  insert into temporary_guests (user_id, device_hash, token_hash, device_token)
  values (v_id, p_device_hash, v_token_hash, case when p_keep_token then p_device_token end);
  delete from temporary_guests where user_id in (
    select t.user_id from temporary_guests t where t.device_hash = p_device_hash
    order by t.device_token is not null desc, t.created_at desc offset c_max_for_device);
  return v_id;
end
$$;
comment on function open_temporary_guest(text, text, boolean) is
  'Makes a guest who waits to be joined to a known device''s guest. Internal to the device functions.';
