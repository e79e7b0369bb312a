-- The jobs of a batch, with what each took and gave back. What was under way has nobody left who would finish it: it waits as ambiguous with its deadline
-- over, so the worker ends it and refunds what the ledger charged. Jobs that cannot keep the rule of credits are exempt from it and reported.
create or replace function internal.import_jobs() returns void
language plpgsql set search_path = internal, public, pg_temp set timezone = 'UTC' as $$
begin
  insert into video_jobs (job_id, user_id, model_id, theme_id, model_name, prompt, settings, image_url, status, stage, video_url, thumbnail_url, credits_used,
    error_code, error_message, provider, provider_job_id, created_at, completed_at, deleted_at, run_after, deadline_at, credits_charged, credits_returned, is_credits_exempt)
  with sums as (
    select l.job_id, coalesce(sum(-l.change) filter (where l.change < 0), 0)::integer as charged,
      coalesce(sum(l.change) filter (where l.change > 0), 0)::integer as returned, bool_or(l.reason = 'generation_failed_refund') as is_refunded
    from import_ledger l where l.job_id is not null group by l.job_id),
  plain as (
    select i.job_id, i.user_id, i.o, m.id as model_id, m.name as model_name, m.provider, t.id as theme_id,
      coalesce(import_moment(o ->> 'created_at'), now()) as created_at,
      case when o ->> 'status' = 'completed' then 'completed'
        when o ->> 'status' in ('failed', 'error', 'cancelled', 'canceled') then 'failed' else 'processing' end as status,
      greatest(coalesce(import_integer(o ->> 'credits_used'), s.charged, 0), 0) as credits_used,
      coalesce(s.charged, 0) as ledger_charged, coalesce(s.returned, 0) as returned, coalesce(s.is_refunded, false) as is_refunded
    from import_jobs i
    left join models m on m.id = import_uuid(o ->> 'model_id')
    left join themes t on t.id = import_uuid(o ->> 'theme_id')
    left join sums s on s.job_id = i.job_id),
  figures as (
    select p.*, case when ledger_charged > 0 then ledger_charged else greatest(credits_used, returned) end as charged from plain p)
  select f.job_id, f.user_id, f.model_id, f.theme_id, coalesce(f.model_name, 'Removed model'), left(coalesce(o ->> 'prompt', ''), 8000),
    case when jsonb_typeof(o -> 'settings') = 'object' then o -> 'settings' else '{}' end, o ->> 'image_url', f.status,
    case when f.status = 'processing' then 'ambiguous' else 'finished' end, nullif(o ->> 'video_url', ''), nullif(o ->> 'thumbnail_url', ''), f.credits_used,
    case when o ->> 'error_code' ~ '^ERR_[456][0-9]{3}$' then o ->> 'error_code' end, o ->> 'error_message', coalesce(f.provider, 'fal'),
    nullif(o ->> 'provider_job_id', ''), f.created_at,
    case when f.status <> 'processing' then coalesce(import_moment(o ->> 'completed_at'), import_moment(o ->> 'updated_at'), f.created_at) end,
    import_moment(o ->> 'deleted_at'), now(), now(), f.charged, f.returned,
    f.charged > 0 and (f.ledger_charged <> f.charged or ((f.status = 'failed' or f.is_refunded) and f.returned < f.charged))
  from figures f;

  -- Files of the former storage that a job shows: https://.../storage/v1/object/[public|sign|authenticated]/bucket/name
  insert into import_files (bucket, name, role, user_id, job_id)
  select import_unescaped(f.part[1]), import_unescaped(f.part[2]), f.role, f.user_id, f.job_id
  from (
    select i.user_id, i.job_id, c.role,
      regexp_match(i.o ->> c.column_name, '^https?://[^/]+/+storage/v1/(?:object|render/image)/(?:public/|sign/|authenticated/)?([^/?]+)/([^?]+)') as part
    from import_jobs i cross join (values ('video', 'video_url'), ('thumbnail', 'thumbnail_url')) c (role, column_name)) f
  where f.part is not null on conflict do nothing;
end
$$;
comment on function internal.import_jobs() is 'Carries the jobs of a staged batch over. For the import, which runs as the owner.';
