-- One page of the caller's jobs, newest first. p_before is the id of the last job already seen; p_offset serves shipped
-- apps that page by number. p_query finds a piece of the prompt, without regard to case.
create or replace function get_video_jobs(
  p_limit integer, p_offset integer, p_before uuid, p_status text, p_query text)
returns table (
  job_id uuid, prompt text, model_name text, credits_used integer, status text, video_url text, thumbnail_url text,
  created_at timestamptz)
language plpgsql stable as $$
declare
  v_me uuid := require_caller();
  v_before_at timestamptz;
begin
  if p_before is not null then
    select j.created_at into v_before_at from video_jobs j where j.job_id = p_before;
    if not found then
      perform raise_error('ERR_4007', '{"what":"job"}');
    end if;
  end if;
  return query
  select j.job_id, j.prompt, j.model_name, j.credits_used, j.status, j.video_url::text, j.thumbnail_url::text, j.created_at
  from video_jobs j
  where j.user_id = v_me
    and (p_before is null or (j.created_at, j.job_id) < (v_before_at, p_before))
    and (p_status is null or j.status = p_status)
    and (p_query is null or position(fold_text(p_query) in fold_text(j.prompt)) > 0)
  order by j.created_at desc, j.job_id desc
  limit least(p_limit, 101) offset p_offset;
end
$$;
comment on function get_video_jobs(integer, integer, uuid, text, text) is
  'The caller''s jobs, newest first. Raises ERR_4005, ERR_4006, ERR_4007 (an unknown p_before).';
