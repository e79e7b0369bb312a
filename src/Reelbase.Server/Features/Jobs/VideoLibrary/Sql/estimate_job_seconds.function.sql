-- Seconds until a job's video is probably there: what runs before it at its provider, and what its model usually takes (a minute where nothing is known). Null once it has ended.
create or replace function internal.estimate_job_seconds(p_job video_jobs, p_place integer) returns integer
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (
    select case
      when p_job.stage = 'finished' then null
      when p_job.stage = 'queued' and p_place is not null then ceil(t.seconds * (1 + (p_place + 1) / greatest(coalesce(
        (select s.places from provider_states s where s.provider = p_job.provider), 1), 1)))::integer
      when p_job.stage = 'fetching' then 5
      -- Later than usual: nobody knows, but it is not now.
      else greatest(5, ceil(t.seconds - coalesce(extract(epoch from clock_timestamp() - p_job.submitted_at), 0)))::integer end
    from (select coalesce((select m.usual_seconds from models m where m.id = p_job.model_id), 60)::numeric as seconds) t);
end
$$;
comment on function internal.estimate_job_seconds(video_jobs, integer) is 'Seconds until a job probably ends, from its place and its model''s usual time; null when it has ended.';
