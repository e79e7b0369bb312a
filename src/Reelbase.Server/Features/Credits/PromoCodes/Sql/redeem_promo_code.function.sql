-- Redeems a code once for each account, device and Apple subject: members, and guests whose device grant was accepted. The user row is locked
-- first, then the address's misses, then the code, so two calls of one person, and the last place of a code, are decided one after another.
-- p_code_hash: the code under the installation's key. p_key: an optional idempotency key. p_limits: misses (wrong codes of a user per window),
-- misses_by_address, window_seconds. A wrong code is answered and not raised, so that it stays counted.
create or replace function redeem_promo_code(p_code_hash bytea, p_key uuid, p_ip inet, p_limits jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
  v_hash bytea := hash_request('redeem-promo-code', p_code_hash);
  v_network inet := case when family(p_ip) = 6 then set_masklen(p_ip, 64)::cidr::inet else coalesce(p_ip, '0.0.0.0') end;
  v_window interval := make_interval(secs => (p_limits ->> 'window_seconds')::integer);
  v_scope text;
  v_oldest timestamptz;
  v_code promo_codes;
  v_id uuid := gen_random_uuid();
  v_answer jsonb;
begin
  if coalesce((auth.jwt() ->> 'unverified')::boolean, false) then
    perform raise_error('ERR_4005', '{"reason":"session_required"}');
  elsif v_user.deleted_at is not null then
    perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
  end if;
  v_answer := (find_replay(v_user.id, p_key, v_hash)).response_data;
  if v_answer is not null then
    -- compatibility: the previous release's nodes read it here; goes in the next release
    return v_answer || '{"replayed":true}';
  end if;
  if v_user.is_guest and not v_user.initial_grant_claimed then
    perform raise_error('ERR_4010', '{"reason":"device_not_accepted"}');
  end if;

  -- What is counted is what is locked: of any number of guesses at once no more than the limit is looked up.
  perform pg_advisory_xact_lock(hashtextextended('rate|promo_miss|' || v_network, 0));
  select m.scope, m.oldest into v_scope, v_oldest from (
    select 'user' as scope, count(*) as used, min(created_at) as oldest, (p_limits ->> 'misses')::integer as most from rate_limit_log
    where user_id = v_user.id and action = 'promo_miss' and created_at > clock_timestamp() - v_window
    union all
    select 'address', count(*), min(created_at), (p_limits ->> 'misses_by_address')::integer from rate_limit_log
    where ip_address = v_network and action = 'promo_miss' and created_at > clock_timestamp() - v_window) m
  where m.used >= m.most limit 1;
  if found then
    perform raise_error('ERR_4004', jsonb_build_object('limit', (p_limits ->> case v_scope when 'user' then 'misses' else 'misses_by_address' end)::integer,
      'scope', v_scope, 'retry_after_seconds', greatest(1, ceil(extract(epoch from coalesce(v_oldest, clock_timestamp()) + v_window - clock_timestamp())))::integer));
  end if;

  select * into v_code from promo_codes where code_hash = p_code_hash for no key update;
  -- A code that has not begun is nobody's yet: it is not distinguished from a wrong one.
  if v_code.id is null or v_code.starts_at > clock_timestamp() then
    insert into rate_limit_log (ip_address, action, user_id, created_at) values (v_network, 'promo_miss', v_user.id, clock_timestamp());
    return '{"refused":"ERR_4007","details":{"what":"promo_code"}}';
  end if;
  if exists (select from promo_claims c join promo_subjects(v_code.id, v_user.id) s on s.kind = c.kind and s.subject_hash = c.subject_hash
      where c.code_id = v_code.id) then
    perform raise_error('ERR_4012', '{"reason":"already_redeemed"}');
  elsif v_code.ended_at <= clock_timestamp() or v_code.ends_at <= clock_timestamp() then
    perform raise_error('ERR_4012', '{"reason":"ended"}');
  elsif v_code.redeemed >= v_code.max_redemptions then
    perform raise_error('ERR_4012', '{"reason":"used_up"}');
  end if;
  update promo_codes set redeemed = redeemed + 1 where id = v_code.id returning * into v_code;
  insert into promo_redemptions (id, code_id, number, user_id, credits) values (v_id, v_code.id, v_code.redeemed, v_user.id, v_code.credits);
  begin
    insert into promo_claims (code_id, kind, subject_hash, redemption_id)
    select v_code.id, s.kind, s.subject_hash, v_id from promo_subjects(v_code.id, v_user.id) s order by 1, 2, 3;
  exception when unique_violation then
    perform raise_error('ERR_4012', '{"reason":"already_redeemed"}');
  end;
  v_answer := jsonb_build_object('success', true, 'credits_added', v_code.credits,
    'credits_remaining', write_ledger(v_user.id, v_code.credits, 'promo_code', null, 'promo:' || v_id));
  if p_key is not null then
    perform keep_answer(v_user.id, p_key, 'redeem-promo-code', v_hash, v_answer);
  end if;
  return v_answer;
end
$$;
comment on function redeem_promo_code(bytea, uuid, inet, jsonb) is
  '{"success":true,"credits_added":n,"credits_remaining":n} (and "replayed"), or {"refused":"ERR_4007"} for a wrong code, which stays counted. '
  'Raises ERR_4004, ERR_4005, ERR_4006, ERR_4009, ERR_4010, ERR_4012.';
