-- Apple has answered (accepted, refused) or could not be heard (unknown) about the token that opened a temporary guest. Accepted: they become part of the
-- guest of their device, with their session; where that guest has become a member or has left, the id becomes theirs, without credits. Refused: they stay
-- what they are and are merged into nobody; but an old token may be refused for its age alone, so after a minute of waiting they are merged when Apple accepts
-- another token of their id. Unknown: asked again later, p_max_attempts times. Answers the account that they are part of now, if any.
create or replace function settle_temporary_guest(
  p_user_id uuid, p_question_id uuid, p_leased_by text, p_verdict text, p_retry_after_seconds double precision, p_max_attempts integer)
returns uuid language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_token_is_fresh constant interval := interval '1 minute';
  v_hash text := (select q.device_hash from device_questions q where q.id = p_question_id);
  v_guest users;
  v_known users;
begin
  -- In the order of open_device: the device, the temporary guest, the device's guest.
  perform pg_advisory_xact_lock(hashtextextended('device:' || v_hash, 0));
  select * into v_guest from users where id = p_user_id for no key update;
  if not record_device_verdict(p_question_id, p_leased_by, p_verdict) then
    return null;
  end if;
  if p_verdict = 'refused' then
    delete from temporary_guests where user_id = p_user_id and created_at > clock_timestamp() - c_token_is_fresh;
    update temporary_guests set device_token = null where user_id = p_user_id;
    return null;
  elsif p_verdict = 'unknown' then
    update temporary_guests set run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds),
      device_token = case when attempt < p_max_attempts then device_token end
    where user_id = p_user_id;
    return null;
  end if;
  select * into v_known from users where device_id = v_hash and deleted_at is null for no key update;
  if v_known.is_guest and v_known.merged_into is null then
    return case when merge_temporary_guest(p_user_id, v_known.id, true) then v_known.id end;
  end if;
  delete from temporary_guests where user_id = p_user_id;
  if found and v_guest.is_guest and v_guest.merged_into is null and v_guest.deleted_at is null and v_guest.banned_at is null
    and v_known.banned_at is null then
    update users set device_id = null, updated_at = now() where id = v_known.id;
    update users set device_id = v_hash, updated_at = now() where id = p_user_id;
    insert into device_checks (device_id, user_id) values (v_hash, p_user_id)
    on conflict (device_id) do update set user_id = excluded.user_id, updated_at = now();
    insert into device_grants (user_id, device_id, stage, decided_at) values (p_user_id, v_hash, 'denied', now());
  end if;
  return null;
end
$$;
comment on function settle_temporary_guest(uuid, uuid, text, text, double precision, integer) is
  'Records Apple''s answer about a temporary guest''s token and merges them when it was accepted; answers the account that they became part of.';
