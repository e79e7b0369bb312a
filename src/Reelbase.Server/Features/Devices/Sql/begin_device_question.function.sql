-- Whether Apple has to be asked about this token before a device-check is answered. outcome:
--   none      the device is not known (or banned, or its id opens nobody): its grant asks, or nobody needs to
--   accepted, refused   Apple has answered for this token within p_verdict_seconds
--   ask       ask now, and record the answer for question_id under the claim token p_leased_by
--   busy      somebody else is asking about this id: poll again
--   over      p_limit questions for this id and address within p_window_seconds (null: unlimited)
create or replace function begin_device_question(
  p_device_id text, p_device_token text, p_ip inet, p_limit integer, p_window_seconds integer, p_verdict_seconds integer,
  p_leased_by text, p_lease_seconds integer)
returns table (outcome text, question_id uuid)
-- As in note_device_opening: a plan that is made while the tables are small would read the whole of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_hash text := device_id_hash(p_device_id);
  v_token_hash bytea := sha256(convert_to(p_device_token, 'UTF8'));
  v_network inet := case when family(p_ip) = 6 then set_masklen(p_ip, 64)::cidr::inet else coalesce(p_ip, '0.0.0.0') end;
  v_user users;
  v_is_busy boolean;
begin
  outcome := 'none';
  if not opens_known_guest(p_device_id) then
    return next;
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('device:' || v_hash, 0));
  select * into v_user from users u where u.device_id in (v_hash, lower(p_device_id)) and u.deleted_at is null;
  if v_user.id is null or v_user.banned_at is not null or exists (select from users m where m.id = v_user.merged_into and m.banned_at is not null) then
    return next;
    return;
  end if;
  -- Before the answers are read: one that is recorded meanwhile is then among them, and nobody is asked about twice.
  v_is_busy := exists (select from device_questions q where q.device_hash = v_hash and q.verdict is null and q.lease_until >= clock_timestamp())
    or exists (select from device_grants g where g.user_id = v_user.id and g.decided_at is null and g.stage = 'requested'
      and g.lease_until > clock_timestamp());
  select q.verdict into outcome from device_questions q
  where q.token_hash = v_token_hash and q.verdict in ('accepted', 'refused')
    and q.decided_at > clock_timestamp() - make_interval(secs => p_verdict_seconds)
  order by q.decided_at desc limit 1;
  if outcome is not null then
    return next;
    return;
  end if;
  -- The guest was made with this token, and their grant is asking about it: both calls wait for one answer.
  if exists (select from device_grants g where g.user_id = v_user.id and g.purpose = 'grant' and g.decided_at is null and g.device_token = p_device_token)
    and exists (select from device_openings o where o.user_id = v_user.id and o.token_hash = v_token_hash) then
    outcome := 'none';
    return next;
    return;
  end if;
  -- Whoever held an older question is gone.
  update device_questions q set verdict = 'unknown', decided_at = clock_timestamp(), leased_by = null, lease_until = null
  where q.device_hash = v_hash and q.verdict is null and q.lease_until < clock_timestamp();
  if p_limit is not null and (select count(*) from device_questions q where q.device_hash = v_hash and q.network = v_network
      and q.asked_at > clock_timestamp() - make_interval(secs => p_window_seconds)) >= p_limit then
    outcome := 'over';
  elsif v_is_busy then
    outcome := 'busy';
  else
    -- What is too old needs no memory; a few at each question keep the table as small as the questions of its last hours.
    delete from device_questions q where q.id in (
      select o.id from device_questions o
      where o.asked_at < now() - make_interval(secs => greatest(p_window_seconds, p_verdict_seconds)) and o.verdict is not null
      order by o.asked_at limit 10 for update skip locked);
    insert into device_questions (device_hash, token_hash, network, leased_by, lease_until)
    values (v_hash, v_token_hash, v_network, p_leased_by, clock_timestamp() + make_interval(secs => p_lease_seconds))
    -- The worker that asks for temporary guests takes no lock of the device, and may have begun since.
    on conflict (device_hash) where verdict is null do nothing
    returning id into question_id;
    outcome := case when question_id is null then 'busy' else 'ask' end;
  end if;
  return next;
end
$$;
comment on function begin_device_question(text, text, inet, integer, integer, integer, text, integer) is
  'Whether Apple is to be asked about a device''s token: none, accepted, refused, ask (with question_id), busy or over.';
