-- Keeps what Apple said about the device, before anything is changed there. A bit that is set means that this physical
-- device had its grant: decided, nothing is given. Answers the stage; null when the turn is no longer ours. bit1 marks a phone
-- whose user was banned: banned is answered, and a guest who was made for this very call goes again.
create or replace function record_device_answer(p_grant_id uuid, p_leased_by text, p_bit0 boolean, p_bit1 boolean)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_grant device_grants;
begin
  update device_grants set bit0 = p_bit0, bit1 = p_bit1,
    stage = case when p_bit0 or p_bit1 then 'denied' else 'queried' end,
    decided_at = case when p_bit0 or p_bit1 then clock_timestamp() end,
    device_token = case when p_bit0 or p_bit1 then null else device_token end,
    leased_by = case when p_bit0 or p_bit1 then null else leased_by end,
    lease_until = case when p_bit0 or p_bit1 then null else lease_until end
  where id = p_grant_id and leased_by = p_leased_by and stage = 'requested'
  returning * into v_grant;
  if not found then
    return null;
  end if;
  update device_checks set bit0 = p_bit0, bit1 = p_bit1, last_query_at = clock_timestamp(),
    success_count = success_count + 1, updated_at = now()
  where device_id = v_grant.device_id;
  if v_grant.stage = 'denied' then
    perform end_device_grant_turn(p_leased_by);
  end if;
  if p_bit1 then
    update device_checks set risk_score = 100, fraud_flags = array_append(array_remove(fraud_flags, 'banned_phone'), 'banned_phone')
    where device_id = v_grant.device_id;
    delete from users u where u.id = v_grant.user_id and u.merged_into is null
      and not exists (select from sessions s where s.user_id = u.id) and not exists (select from quota_log q where q.user_id = u.id);
    return 'banned';
  end if;
  return v_grant.stage;
end
$$;
comment on function record_device_answer(uuid, text, boolean, boolean) is
  'Stores Apple''s two bits for a claimed grant; answers queried (go on), denied or banned, null when the turn is lost.';
