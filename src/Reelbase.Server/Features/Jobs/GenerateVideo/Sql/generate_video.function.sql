-- Accepts a generation: one call, one transaction. The user row is locked first, so everything one user asks is decided
-- in a row: a repeated key finds the stored answer, two presses cannot both spend the last credit, limits cannot be
-- overshot. A refusal raises, which leaves nothing behind, not even the key: the user can top up and press again.
-- p_request holds model_id, theme_id, prompt, settings and image_url as parsed; its canonical text is what a key stands for. An image_url that is no
-- address is the name of a picture of the caller's, and image_object_id the file that was checked, which is no part of what a key stands for; nor is
-- image_copy, the name of the copy that was taken of a picture elsewhere: the job starts from it and never from the address.
-- p_limits: guest, member, premium (accepted generations per window by user), guest_ip (guests together, by address),
-- window_seconds; null or absent means unlimited. low_credits_below: a charge that brings the balance below it sends the user's phones a push; null: none does. p_refusal: {"code", "details"} of a refusal by moderation, which stood outside this
-- transaction; a repeated key finds its stored answer all the same.
-- Plans are generic: each statement of it, and of what it calls, finds rows by their keys, and planning one anew costs more than running it (ADR 84, ADR 85).
drop function if exists generate_video(uuid, jsonb, inet, jsonb, integer);
create or replace function generate_video(
  p_idempotency_key uuid, p_request jsonb, p_ip inet, p_limits jsonb, p_queue_deadline_seconds integer, p_refusal jsonb default null)
returns table (
  status_code integer, response_data text, replayed boolean, job_id uuid,
  rate_limit integer, rate_remaining integer, rate_reset_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_claims jsonb := auth.jwt();
  v_sub uuid := (v_claims ->> 'sub')::uuid;
  v_session uuid := (v_claims ->> 'session_id')::uuid;
  v_me uuid;
  v_user record;
  v_model_id uuid := (p_request ->> 'model_id')::uuid;
  -- All that is read once the row is locked: one statement costs less than six.
  v_now record;
  v_model models;
  v_theme themes;
  v_hash bytea := hash_request('generate-video', convert_to(jsonb_strip_nulls(p_request - 'image_object_id' - 'image_copy')::text, 'UTF8'));
  v_stored idempotency_log;
  v_settings jsonb;
  v_image_url text := coalesce(p_request ->> 'image_copy', p_request ->> 'image_url');
  v_image_object_id uuid;
  v_prompt text := p_request ->> 'prompt';
  v_cost integer;
  v_window_seconds integer := coalesce((p_limits ->> 'window_seconds')::integer, 3600);
  v_since timestamptz;
  v_ip record;
  v_consent jsonb;
  v_low integer := (p_limits ->> 'low_credits_below')::integer;
begin
  -- The columns that are needed here: putting a whole user together costs more than finding it. A guest who was merged away before is not locked, as
  -- lock_account has it: a further merge holds their account and then writes their row.
  select u.id, u.tier, u.is_guest, u.credits_remaining, u.deleted_at, u.banned_at, u.app_transactions <> '{}' as has_transactions,
    exists (select from sessions s where s.id = v_session and s.revoked_at is null and s.user_id = v_sub) as has_session
  into v_user from users u where u.id = v_sub and u.merged_into is null for no key update;
  v_me := v_user.id;
  if v_me is null or not v_user.has_session or coalesce(v_user.banned_at, v_user.deleted_at) is not null then
    -- Anything but the ordinary is for require_caller to decide. A merge was committed before or while we waited for the row: then it is the member who asks.
    v_me := (lock_account(require_caller())).id;
    select id, tier, is_guest, credits_remaining, deleted_at, banned_at, app_transactions <> '{}' as has_transactions, true as has_session
    into v_user from users where id = v_me;
    if v_user.id is null or v_user.deleted_at is not null then
      perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
    end if;
  end if;
  if v_model_id is null then
    select id, sunset_at <= now() as has_ended into v_now from models where is_active;
    if v_now.has_ended and p_refusal is null and not exists (select from stored_answer(v_me, p_idempotency_key)) then
      -- Its day has come and the worker has not been by yet: its replacement takes over now. A repeated key changes nothing.
      perform retire_models(0);
      select id into v_now from models where is_active;
    end if;
    v_model_id := v_now.id;
  end if;
  rate_limit := (p_limits ->> case when v_user.tier = 'premium' then 'premium' when v_user.is_guest then 'guest' else 'member' end)::integer;

  -- After the wait for the row, which is no part of the window.
  v_since := clock_timestamp() - make_interval(secs => v_window_seconds);
  -- A user's accepted generations are their jobs (deleted ones keep their row), so counting needs no second record. What support retried was not their press.
  select s.user_id is not null as has_answer, i.ai_consent = 'on' as asks_consent, exists (select from age_bands b where b.user_id = v_me) as has_band,
    m.id as model_id, m.name as model_name, m.provider, m.required_fields, m.cost_per_generation, m.pricing_type, m.credits_per_second,
    model_is_offered(m.is_available, m.provider_model_id, m.sunset_at) and (p.provider is null
      or provider_works(p.is_configured, p.failing_since, p.outage_seconds)) as is_offered,
    r.used, r.oldest,
    (select j.queue_key from video_jobs j
      where j.user_id = v_me and j.provider = m.provider and j.stage = 'queued' and j.leased_by is null and j.queue_key > 0
      order by j.queue_key desc limit 1) as last_key,
    -- As queue_pass has it.
    (select max(l.served_key) >> 26 from queue_lanes l where l.provider = m.provider
      and l.lane = any (case when v_user.tier = 'premium' then '{premium}'::text[] else '{member,guest}' end)) as queue_pass
  into v_now
  from installation i
  left join stored_answer(v_me, p_idempotency_key) s on true
  left join models m on m.id = v_model_id
  left join provider_states p on p.provider = m.provider
  cross join lateral (
    select count(*)::integer as used, min(j.created_at) as oldest from video_jobs j
    -- A variable, so that the index ends at the window; clock_timestamp() would be asked for every job that the user ever had.
    where rate_limit is not null and j.user_id = v_me and not j.paid_by_house and j.created_at > v_since) r
  where i.is_only;
  if v_now.has_answer then
    v_stored := find_replay(v_me, p_idempotency_key, v_hash);
    return query select v_stored.status_code, v_stored.response_data::text, true, v_stored.job_id,
      null::integer, null::integer, null::timestamptz
    where v_stored.status_code is not null;
    if found then
      return;
    end if;
  end if;

  if p_refusal is not null then
    perform raise_error(p_refusal ->> 'code', p_refusal -> 'details');
  end if;
  if p_request ->> 'theme_id' is not null then
    select * into v_theme from themes where id = (p_request ->> 'theme_id')::uuid and is_available;
    if not found then
      perform raise_error('ERR_4007', '{"what":"theme"}');
    end if;
  end if;
  if v_now.is_offered is not true then
    select * into v_model from models where id = v_model_id;
    perform require_model_offered(v_model, p_request ->> 'model_id');
  end if;
  -- Before the price, so that nobody tops up for what they may not do or would not agree to. Most have declared no age and most installations that a
  -- press is measured on ask for no consent.
  if v_now.has_band then
    v_consent := age_refusal(v_me);
    if v_consent is not null then
      perform raise_error('ERR_4014', v_consent);
    end if;
  end if;
  if v_now.asks_consent or v_user.has_transactions then
    select * into v_model from models where id = v_model_id;
    v_consent := missing_ai_consent(v_me, v_model, false);
    if v_consent is not null then
      perform raise_error('ERR_4013', v_consent);
    end if;
  end if;

  v_prompt := coalesce(v_prompt, nullif(v_theme.prompt, ''));
  if v_prompt is null then
    perform raise_error('ERR_4003', '{"field":"prompt","reason":"required"}');
  end if;
  if octet_length(v_prompt) > (v_now.required_fields ->> 'prompt_max_utf16')::integer then
    perform require_prompt_fits(v_now.required_fields, v_prompt);
  end if;
  if v_image_url is null then
    if (v_now.required_fields ->> 'requires_image')::boolean then
      perform raise_error('ERR_4003', '{"field":"image_url","reason":"required"}');
    end if;
  elsif v_image_url !~ '^[A-Za-z][A-Za-z0-9+.-]*://' then
    v_image_object_id := require_own_picture(v_image_url, (p_request ->> 'image_object_id')::uuid);
  end if;
  v_settings := resolve_settings(
    v_now.required_fields, coalesce(v_theme.default_settings, '{}'), coalesce(p_request -> 'settings', '{}'));
  v_cost := price_generation(v_now.cost_per_generation, v_now.pricing_type, v_now.credits_per_second,
    v_now.required_fields, v_settings);

  if rate_limit is not null then
    rate_reset_at := coalesce(v_now.oldest, clock_timestamp()) + make_interval(secs => v_window_seconds);
    rate_remaining := greatest(rate_limit - v_now.used - 1, 0);
    if v_now.used >= rate_limit then
      perform raise_error('ERR_4004', jsonb_build_object('limit', rate_limit, 'scope', 'user',
        'retry_after_seconds', greatest(1, ceil(extract(epoch from rate_reset_at - clock_timestamp())))::integer));
    end if;
  end if;
  if v_user.credits_remaining < v_cost then
    perform raise_error('ERR_4001', jsonb_build_object('required', v_cost, 'available', v_user.credits_remaining));
  end if;
  if v_user.is_guest and v_user.tier <> 'premium' and p_limits ->> 'guest_ip' is not null then
    select * into v_ip from check_rate_limit(
      'generate_video', null, p_ip, (p_limits ->> 'guest_ip')::integer, v_window_seconds);
    if not v_ip.allowed then
      perform raise_error('ERR_4004', jsonb_build_object('limit', (p_limits ->> 'guest_ip')::integer, 'scope', 'address',
        'retry_after_seconds', greatest(1, ceil(extract(epoch from v_ip.reset_at - clock_timestamp())))::integer));
    end if;
  end if;

  job_id := insert_video_job(v_me, v_now.model_id, v_now.model_name, v_now.provider, v_theme.id, v_prompt, v_settings, v_image_url, v_cost,
    p_queue_deadline_seconds, null, queue_lane(v_user.tier, v_user.is_guest), next_queue_key(v_now.last_key, v_now.queue_pass));
  -- Nearly every charge stays above.
  if v_user.credits_remaining >= v_low and v_user.credits_remaining - v_cost < v_low then
    perform enqueue_low_credits(v_me, v_user.credits_remaining, v_cost, v_low);
  end if;
  if v_image_object_id is not null then
    update video_jobs set image_object_id = v_image_object_id where video_jobs.job_id = generate_video.job_id;
  end if;
  status_code := 200;
  response_data := keep_answer(v_me, p_idempotency_key, 'generate-video', v_hash,
    jsonb_build_object('job_id', job_id, 'status', 'pending', 'credits_used', v_cost), status_code, job_id)::text;
  replayed := false;
  return next;
end
$$;
comment on function generate_video(uuid, jsonb, inet, jsonb, integer, jsonb) is
  'Accepts a generation exactly once per user and key: price, limits, charge, ledger row, job and stored answer in one '
  'transaction. Raises ERR_4001, ERR_4002, ERR_4003, ERR_4004, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4013, ERR_4014, and the code of p_refusal.';
