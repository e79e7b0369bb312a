-- Keeps what Apple said about the device, before anything is changed there. A bit that is set means that this physical
-- device had its grant: decided, nothing is given; unless this grant asked Apple to set it, did not hear how that ended, and nobody was granted since:
-- then the bit is our own and the grant goes on. Answers the stage; null when the turn is no longer ours. bit1 marks a phone
-- whose user was banned: banned is answered, and a guest who was made for this very call goes again. What is denied is this token's phone: a guest whom another
-- call has made keeps everything, also what is known of their own phone. A guest who has their grant needs no bit of another phone of theirs.
create or replace function record_device_answer(p_grant_id uuid, p_leased_by text, p_bit0 boolean, p_bit1 boolean)
returns text language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_grant device_grants;
  v_is_ours boolean := false;
  v_is_denied boolean;
  v_is_theirs boolean;
begin
  if not holds_device_grant_turn(p_leased_by) then
    return null;
  end if;
  -- The user row first, as everywhere: the guest may have to go.
  perform 1 from users where id = (select g.user_id from device_grants g where g.id = p_grant_id) for no key update;
  select * into v_grant from device_grants where id = p_grant_id and leased_by = p_leased_by and stage = 'requested' for no key update;
  if not found then
    -- Its user has left meanwhile, say: nobody else waits for the end of this turn.
    perform end_device_grant_turn(p_leased_by);
    return null;
  end if;
  v_is_theirs := v_grant.made_guest or not p_bit1;
  -- An attempt of a grant that runs beside this one may have set it as well.
  v_grant.bit_attempted_at := greatest(v_grant.bit_attempted_at, (select max(g.bit_attempted_at) from device_grants g
    where g.user_id = v_grant.user_id and g.stage in ('requested', 'abandoned', 'rejected')));
  if p_bit0 and not p_bit1 and v_grant.bit_attempted_at is not null then
    v_is_ours := not exists (select from device_grants g
      where g.stage = 'granted' and g.decided_at >= v_grant.bit_attempted_at and g.id <> p_grant_id);
    if not v_is_ours then
      perform raise_alert('device_grant_unclear', p_grant_id::text, format(
        'User %s got no free credits: their phone''s bit is set, and whether by their own lost attempt cannot be known.', v_grant.user_id));
    end if;
  end if;
  v_is_denied := p_bit1 or (p_bit0 and not v_is_ours)
    or exists (select from users u where u.id = v_grant.user_id and u.initial_grant_claimed);
  update device_grants set bit0 = p_bit0, bit1 = p_bit1,
    stage = case when v_is_denied then 'denied' else 'queried' end,
    decided_at = case when v_is_denied then clock_timestamp() end,
    device_token = case when v_is_denied then null else device_token end,
    leased_by = case when v_is_denied then null else leased_by end,
    lease_until = case when v_is_denied then null else lease_until end
  where id = p_grant_id;
  update device_checks set bit0 = p_bit0, bit1 = p_bit1, last_query_at = clock_timestamp(),
    success_count = success_count + 1, updated_at = now(),
    risk_score = case when p_bit1 then 100 else risk_score end,
    fraud_flags = case when p_bit1 then array_append(array_remove(fraud_flags, 'banned_phone'), 'banned_phone') else fraud_flags end
  where v_is_theirs and device_id in (v_grant.device_id, stored_device_id(v_grant.device_id));
  if not p_bit1 then
    perform keep_device_verdict(stored_device_id(v_grant.device_id), v_grant.device_token, 'accepted');
  end if;
  if not v_is_denied then
    return 'queried';
  end if;
  perform end_device_grant_turn(p_leased_by);
  if p_bit1 then
    if v_grant.made_guest then
      perform delete_unused_guest(v_grant.user_id);
    end if;
    return 'banned';
  end if;
  return 'denied';
end
$$;
comment on function record_device_answer(uuid, text, boolean, boolean) is
  'Stores Apple''s two bits for a claimed grant; answers queried (go on), denied or banned, null when the turn is lost.';
