-- One batch: users with everything that is theirs, so that at its commit every ledger's sum is the balance. Nobody becomes an admin, and premium stays only
-- with whoever has bought something. Answers what was written.
create or replace function internal.import_users(p_kind text, p_last_user text)
returns table (users bigint, jobs bigint, ledger_rows bigint, refresh_tokens bigint, consents bigint)
language plpgsql set search_path = internal, public, pg_temp set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  v_users bigint;
  v_jobs bigint;
  v_rows bigint;
  v_corrections bigint;
  v_tokens bigint;
  v_consents bigint;
begin
  perform import_stage();
  insert into users (id, email, device_id, apple_sub, is_guest, tier, premium_granted_by, credits_remaining, credits_total, initial_grant_claimed, language,
    language_chosen_at, theme_preference, is_admin, banned_at, deleted_at, created_at, updated_at)
  select i.id, case when not d.is_deleted then nullif(o ->> 'email', '') end,
    case when not d.is_deleted then n.device_id end, case when not d.is_deleted then n.apple_sub end,
    case when nullif(o ->> 'email', '') is null and o ->> '_apple_sub' is null then true else coalesce((o ->> 'is_guest')::boolean, false) end,
    case when l.has_bought and o ->> 'tier' = 'premium' then 'premium' else 'free' end,
    case when l.has_bought and o ->> 'tier' = 'premium' then 'import' end,
    b.balance, least(2147483647, greatest(b.balance, 0, coalesce(l.earned, 0)))::integer,
    coalesce((o ->> 'initial_grant_claimed')::boolean, false) or coalesce(l.has_grant, false),
    case when o ->> 'language' in ('en', 'tr', 'es') then o ->> 'language' else 'en' end,
    case when o ->> 'language' in ('tr', 'es') then now() end,
    case when o ->> 'theme_preference' in ('light', 'dark') then o ->> 'theme_preference' else 'system' end, false,
    import_moment(o ->> 'banned_at'), case when d.is_deleted then coalesce(import_moment(o ->> 'deleted_at'), now()) end,
    coalesce(import_moment(o ->> 'created_at'), now()), coalesce(import_moment(o ->> 'updated_at'), import_moment(o ->> 'created_at'), now())
  from import_users i
  cross join lateral (select o ->> 'deleted_at' is not null as is_deleted) d
  cross join lateral (select coalesce(import_integer(o ->> 'credits_remaining'), 0) as balance) b
  -- Numbers are of the source as it is now; another may have been carried with the same id before it changed.
  cross join lateral (select nullif(o ->> 'device_id', '') || case when import_integer(o ->> '_device_number') > 1 then ':duplicate:' || (import_integer(o ->> '_device_number') - 1) else '' end as device_id,
    o ->> '_apple_sub' || case when import_integer(o ->> '_apple_number') > 1 then ':duplicate:' || (import_integer(o ->> '_apple_number') - 1) else '' end as apple_sub) p
  cross join lateral (select
    case when exists (select from users t where t.device_id = device_id_hash(p.device_id)) then (o ->> 'device_id') || ':duplicate:' || i.id else p.device_id end as device_id,
    case when exists (select from users t where t.apple_sub = p.apple_sub) then (o ->> '_apple_sub') || ':duplicate:' || i.id else p.apple_sub end as apple_sub) n
  left join (
    select user_id, bool_or(reason = 'initial_grant') as has_grant, bool_or(reason = 'iap_purchase') as has_bought,
      sum(change::bigint) filter (where change > 0 and reason in ('initial_grant', 'iap_purchase', 'admin_adjustment')) as earned
    from import_ledger group by user_id) l on l.user_id = i.id;
  get diagnostics v_users = row_count;
  perform import_jobs();
  select count(*) into v_jobs from import_jobs;

  insert into quota_log (id, user_id, job_id, change, reason, transaction_id, balance_after, note, imported_at, created_at)
  select l.id, l.user_id, l.job_id, l.change, l.reason, l.transaction_id, sum(l.change::bigint) over (partition by l.user_id order by l.place), l.note, now(), l.created_at
  from import_ledger l order by l.user_id, l.place;
  get diagnostics v_rows = row_count;
  insert into quota_log (user_id, change, reason, balance_after, note, imported_at, created_at)
  select u.id, u.credits_remaining - s.total, 'migration_correction', u.credits_remaining, format('the log added up to %s', s.total), now(), now()
  from import_users i join users u on u.id = i.id
  cross join lateral (select coalesce(sum(l.change::bigint), 0)::integer as total from import_ledger l where l.user_id = i.id) s
  where u.credits_remaining <> s.total order by u.id;
  get diagnostics v_corrections = row_count;

  insert into former_refresh_tokens (token_hash, user_id, family)
  select decode(r.o ->> 'hash', 'hex'), u.id, left(r.o ->> 'family', 200)
  from import_rows r join import_users i on i.id = import_uuid(r.o ->> 'user_id') join users u on u.id = i.id and u.deleted_at is null
  where r.kind = 'tokens' on conflict (token_hash) do nothing;
  get diagnostics v_tokens = row_count;
  insert into user_consents (user_id, kind, version, granted_at, withdrawn_at)
  select i.id, r.o ->> 'kind', left(r.o ->> 'version', 50), coalesce(import_moment(r.o ->> 'granted_at'), now()), import_moment(r.o ->> 'withdrawn_at')
  from import_rows r join import_users i on i.id = import_uuid(r.o ->> 'user_id')
  where r.kind = 'consents' and r.o ->> 'kind' in ('terms', 'ai_processing', 'consumption_data') and nullif(r.o ->> 'version', '') is not null
  on conflict do nothing;
  get diagnostics v_consents = row_count;

  update imports i set last_user = p_last_user, users = i.users + v_users, jobs = i.jobs + v_jobs, ledger_rows = i.ledger_rows + v_rows + v_corrections,
    refresh_tokens = i.refresh_tokens + v_tokens, consents = i.consents + v_consents
  where i.kind = p_kind;
  return query select v_users, v_jobs, v_rows + v_corrections, v_tokens, v_consents;
end
$$;
comment on function internal.import_users(text, text) is 'Carries one staged batch of users over, with their jobs, ledgers, tokens and consents. For the import, which runs as the owner.';
