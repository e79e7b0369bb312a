-- compatibility: the previous release's nodes call this; goes in the next release. It names no submission, so the current one is meant.
create or replace function record_video_result(
  p_job_id uuid, p_provider_job_id text, p_result_url text, p_leased_by text default null, p_cost_micros bigint default null)
returns text language sql security definer set search_path = internal, public, pg_temp as $$
  select case verdict when 'stale' then 'ignored' when 'unmatched' then 'ignored' else verdict end from record_video_success(
    (select s.id from job_submissions s join video_jobs j on j.job_id = s.job_id and j.attempt = s.attempt where j.job_id = p_job_id),
    p_leased_by, p_provider_job_id, p_result_url, p_cost_micros) verdict
$$;
comment on function record_video_result(uuid, text, text, text, bigint) is
  'As record_video_success for a job''s current submission, for nodes of the previous release.';
