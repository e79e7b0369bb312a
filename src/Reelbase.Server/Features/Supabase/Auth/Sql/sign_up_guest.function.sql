-- A guest of the auth API's anonymous sign-up. Nobody has proved a device, so there are no free credits and never will be by this row's own doing;
-- an address may make p_limit of them in a window (null: any number).
create or replace function sign_up_guest(p_ip inet, p_limit integer, p_window_seconds integer, p_user_metadata jsonb)
returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_rate record;
  v_id uuid;
begin
  select * into v_rate from check_rate_limit('anonymous_sign_up', null, p_ip, p_limit, p_window_seconds);
  if not v_rate.allowed then
    perform raise_error('ERR_4004', jsonb_build_object('limit', p_limit, 'scope', 'address',
      'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
  end if;
  insert into users (is_guest, user_metadata) values (true, change_user_metadata('{}', p_user_metadata)) returning id into v_id;
  return v_id;
end
$$;
comment on function sign_up_guest(inet, integer, integer, jsonb) is
  'A new guest without device and credits; answers the id. Raises ERR_4004 over the limit by address, ERR_4000 when the metadata is too large.';
