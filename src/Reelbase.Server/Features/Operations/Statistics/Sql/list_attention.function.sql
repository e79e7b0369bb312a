-- What somebody of the team has to see to, the most urgent first; empty when nothing. Each kind is bounded and has an index of its own.
create or replace function internal.list_attention() returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce(jsonb_agg(jsonb_build_object('kind', a.kind, 'count', a.number, 'subject', a.subject, 'target', a.target) order by a.place, a.subject), '[]') from (
    select 1 as place, 'ledger_remark' as kind, 1 as number, r.user_id as subject, r.user_id as target
      from (select distinct split_part(l.dedupe_key, ':', 2) as user_id from alerts l
        where l.kind = 'ledger_mismatch' and l.created_at > now() - interval '7 days' limit 10) r
    union all select 2, 'queue_starving', (q.queue ->> 'waiting')::integer, q.provider,
        (select j.job_id::text from video_jobs j where j.provider = q.provider and j.stage in ('submitting', 'submitted', 'ambiguous') order by j.submitted_at limit 1)
      from (select s.provider, describe_queue(s.provider) as queue from provider_states s where s.is_configured) q where (q.queue ->> 'is_starving')::boolean
    union all select 3, 'balance_below_zero', u.credits_remaining, u.id::text, u.id::text
      from (select n.id, n.credits_remaining from balances_below_zero b join users n on n.id = b.user_id where n.credits_remaining < 0 order by n.id limit 10) u
    union all select 4, 'purchases_unowned', count(*)::integer, null, null from (select from purchases where user_id is null limit 1000) p having count(*) > 0
    union all select 5, 'purchases_waiting', count(*)::integer, null, null
      from (select from purchases where credited_at is null and credits = 0 limit 1000) p having count(*) > 0
    union all select 6, 'dead_work', count(*)::integer, null, null from (select from list_dead_work(1000)) d having count(*) > 0
    union all select 7, 'consents_expired', count(*)::integer, null, null
      from (select from user_consents c where c.kind = 'ai_processing' and c.withdrawn_at is null
          -- Once for all rows: as part of the condition the terms would be put together for each user.
          and c.version <> (select get_consent_terms('ai_processing', 'en') ->> 'version' where exists (select from installation i where i.ai_consent = 'on'))
          and not exists (select from user_consents n where n.user_id = c.user_id and n.kind = 'ai_processing' and n.withdrawn_at is null
            and n.version = (select get_consent_terms('ai_processing', 'en') ->> 'version')) limit 1000) e having count(*) > 0) a
$$;
comment on function internal.list_attention() is '[{"kind","count","subject","target"}]: what needs attention. Internal to the overview.';
