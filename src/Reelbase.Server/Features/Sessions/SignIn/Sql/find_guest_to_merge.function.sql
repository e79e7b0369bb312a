-- For shipped apps without tokens: the user whom their device_id means, which is a device id or a user id; else the member of the
-- Apple account. Swift writes UUIDs in capitals; find_user_id knows both. Values that every phone sends after signing out mean nobody. Nobody has verified any of it, so an address may
-- ask 60 times an hour. Null when nobody is meant.
create or replace function find_guest_to_merge(p_device_id text, p_apple_sub text, p_ip inet) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_rate record;
begin
  select * into v_rate from check_rate_limit('merge_unverified', null, p_ip, 60, 3600);
  if not v_rate.allowed then
    perform raise_error('ERR_4004', jsonb_build_object('limit', 60, 'scope', 'address',
      'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
  end if;
  return coalesce(
    case when p_device_id not in ('device-123', 'guest-preview-id', 'user-placeholder-id') then account_of(find_user_id(p_device_id)) end,
    (select id from users where apple_sub = p_apple_sub and deleted_at is null));
end
$$;
comment on function find_guest_to_merge(text, text, inet) is 'The user whom a shipped app without tokens means; null when none. Raises ERR_4004.';
