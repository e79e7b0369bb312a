-- A user says that a video is not as it should be. Their own: generated content that offends is reported by whoever asked for it. Once a
-- job; saying it again replaces the reason and opens it anew.
create or replace function report_content(p_job_id uuid, p_reason text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
begin
  if not exists (select from video_jobs where job_id = p_job_id and user_id = v_me and deleted_at is null) then
    perform raise_error('ERR_4007', '{"what":"job"}');
  end if;
  insert into content_reports (user_id, job_id, reason) values (v_me, p_job_id, p_reason)
  on conflict on constraint content_reports_once_key do update set reason = excluded.reason, status = 'open', closed_at = null;
  perform raise_alert('content_reported', p_job_id::text, format('Job %s was reported by its user. Open reports: admin reports.', p_job_id));
end
$$;
comment on function report_content(uuid, text) is 'Reports a job of the caller to support. Raises ERR_4005, ERR_4006, ERR_4007.';
