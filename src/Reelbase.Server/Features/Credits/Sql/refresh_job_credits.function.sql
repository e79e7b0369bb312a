-- What a job took and gave back, as the ledger has it, into the job's row, where CHECKs refuse a job that gives back more than it took. A job
-- that the migration has not filled in yet is taken at its own figure when its charge, imported from an older database, names no job.
-- Not a definer function: only those call it, and the trigger of the ledger. Its path is pinned all the same, since that trigger runs under the path of whoever writes.
create or replace function internal.refresh_job_credits(p_job_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_charged integer;
  v_returned integer;
  v_before integer;
  v_returned_before integer;
begin
  select coalesce(sum(-q.change) filter (where q.change < 0), 0), coalesce(sum(q.change) filter (where q.change > 0), 0)
  into v_charged, v_returned from quota_log q where q.job_id = p_job_id;
  select j.credits_charged, j.credits_returned into v_before, v_returned_before from video_jobs j where j.job_id = p_job_id;
  if v_before = 0 and v_charged = 0 then
    select j.credits_used into v_charged from video_jobs j
    where j.job_id = p_job_id and exists (
      select from quota_log i where i.user_id in (select u.id from users u where j.user_id in (u.id, u.merged_into)) and i.imported_at >= j.created_at);
  end if;
  v_charged := greatest(v_before, v_charged, 0);
  if (v_before, v_returned_before) <> (v_charged, v_returned) then
    update video_jobs set credits_charged = v_charged, credits_returned = v_returned where job_id = p_job_id;
  end if;
end
$$;
comment on function internal.refresh_job_credits(uuid) is
  'Brings a job''s credits_charged and credits_returned to what the ledger says. Internal to the ledger''s trigger and to return_job_credits.';
