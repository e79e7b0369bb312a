-- What a job took and gave back, as the ledger has it, into the job's row, where CHECKs refuse a job that gives back more than it took. A job
-- that the migration has not filled in yet is taken at its own figure when its charge, imported from an older database, names no job.
create or replace function refresh_job_credits(p_job_id uuid) returns void
language sql security definer set search_path = public, pg_temp as $$
  with sums as (
    select coalesce(sum(-q.change) filter (where q.change < 0), 0)::integer as charged,
      coalesce(sum(q.change) filter (where q.change > 0), 0)::integer as returned
    from quota_log q where q.job_id = p_job_id),
  figures as (
    select greatest(j.credits_charged, s.charged, case when j.credits_charged = 0 and s.charged = 0 and exists (
        select from quota_log i where i.user_id in (select u.id from users u where j.user_id in (u.id, u.merged_into)) and i.imported_at >= j.created_at)
      then j.credits_used end) as charged, s.returned
    from video_jobs j, sums s where j.job_id = p_job_id)
  update video_jobs j set credits_charged = f.charged, credits_returned = f.returned
  from figures f where j.job_id = p_job_id and (j.credits_charged, j.credits_returned) <> (f.charged, f.returned)
$$;
comment on function refresh_job_credits(uuid) is
  'Brings a job''s credits_charged and credits_returned to what the ledger says. Internal to the ledger''s trigger and to return_job_credits.';
