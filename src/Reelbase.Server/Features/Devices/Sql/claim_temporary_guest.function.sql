-- The next temporary guest whose token Apple is to be asked about again, with the question that is now in flight for their device. No row: nothing is due,
-- or somebody else is asking about that device.
create or replace function claim_temporary_guest(p_leased_by text, p_lease_seconds integer)
returns table (user_id uuid, question_id uuid, device_token text, attempt integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_guest temporary_guests;
begin
  select t.* into v_guest from temporary_guests t
  where t.device_token is not null and t.run_after <= clock_timestamp() order by t.run_after limit 1 for no key update skip locked;
  if not found then
    return;
  end if;
  update device_questions q set verdict = 'unknown', decided_at = clock_timestamp(), leased_by = null, lease_until = null
  where q.device_hash = v_guest.device_hash and q.verdict is null and q.lease_until < clock_timestamp();
  insert into device_questions (device_hash, token_hash, leased_by, lease_until)
  values (v_guest.device_hash, v_guest.token_hash, p_leased_by, clock_timestamp() + make_interval(secs => p_lease_seconds))
  on conflict (device_hash) where verdict is null do nothing returning id into question_id;
  update temporary_guests t set attempt = t.attempt + (question_id is not null)::integer,
    run_after = clock_timestamp() + make_interval(secs => case when question_id is null then 1 else p_lease_seconds end)
  where t.user_id = v_guest.user_id;
  if question_id is null then
    return;
  end if;
  user_id := v_guest.user_id;
  device_token := v_guest.device_token;
  attempt := v_guest.attempt + 1;
  return next;
end
$$;
comment on function claim_temporary_guest(text, integer) is
  'Claims the next temporary guest whose token is to be asked about, with the question for it; no row when there is none.';
