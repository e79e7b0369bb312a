-- For many presses at once, of users or addresses that were over their limit a moment ago: which of them generate_video would still refuse for that, and for
-- how long. Reads only, takes no lock and raises nothing, since this is what a flood of presses costs. A press that is not listed goes to generate_video: one
-- whose key has a stored answer, whose user has changed, whose session has ended, or whose window has moved on.
-- The arrays belong together by position (place); p_limits as generate_video takes it.
create or replace function confirm_generation_limit(p_user_ids uuid[], p_session_ids uuid[], p_idempotency_keys uuid[], p_ips inet[], p_limits jsonb)
returns table (place integer, rate_limit integer, scope text, retry_after_seconds integer, language text)
-- PL/pgSQL keeps its plan, which costs more than what it reads; made while the tables are small, it would read all of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql stable security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
begin
  return query
  with presses as (
    select a.place::integer as place, u.id as user_id, u.language, u.language_chosen_at,
      (p_limits ->> case when u.tier = 'premium' then 'premium' when u.is_guest then 'guest' else 'member' end)::integer as user_limit,
      case when u.is_guest and u.tier <> 'premium' then (p_limits ->> 'guest_ip')::integer end as address_limit,
      case when family(a.ip) = 6 then set_masklen(a.ip, 64)::cidr::inet else coalesce(a.ip, '0.0.0.0') end as network,
      make_interval(secs => coalesce((p_limits ->> 'window_seconds')::integer, 3600)) as length
    from unnest(p_user_ids, p_session_ids, p_idempotency_keys, p_ips) with ordinality a (user_id, session_id, idempotency_key, ip, place)
    join users u on u.id = a.user_id and u.merged_into is null and u.deleted_at is null and u.banned_at is null
    where exists (select from sessions s where s.id = a.session_id and s.user_id = u.id and s.revoked_at is null)
      and not exists (select from stored_answer(u.id, a.idempotency_key))
  )
  select p.place,
    case when j.used >= p.user_limit then p.user_limit else p.address_limit end,
    case when j.used >= p.user_limit then 'user' else 'address' end,
    greatest(1, ceil(extract(epoch from coalesce(case when j.used >= p.user_limit then j.oldest else r.oldest end, now()) + p.length
      - now())))::integer,
    case when p.language_chosen_at is not null then p.language end
  from presses p
  cross join lateral (
    select count(*) as used, min(v.created_at) as oldest from video_jobs v
    where v.user_id = p.user_id and not v.paid_by_house and v.created_at > now() - p.length) j
  left join lateral (
    -- Compared whole, as in check_rate_limit.
    select count(*) as used, min(l.created_at) as oldest from rate_limit_log l
    where l.ip_address = p.network and l.action = 'generate_video'
      and (l.ip_address, l.action, l.created_at) > (p.network, 'generate_video', now() - p.length)) r
    on p.address_limit is not null and (p.user_limit is null or j.used < p.user_limit)
  where j.used >= p.user_limit or r.used >= p.address_limit;
end
$$;
comment on function confirm_generation_limit(uuid[], uuid[], uuid[], inet[], jsonb) is
  'Which of many presses are still over their user''s or address''s limit and are no repetition: place in the arrays, limit, scope, seconds, language. Reads only.';
