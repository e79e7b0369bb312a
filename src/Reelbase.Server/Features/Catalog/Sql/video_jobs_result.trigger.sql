-- A video that came ends a row of results on hosts that are not allowed.
create or replace function internal.end_foreign_results() returns trigger language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  delete from foreign_results where model_id = new.model_id;
  return null;
end
$$;
comment on function internal.end_foreign_results() is 'Forgets a model''s results on other hosts once a video of it was fetched. For a trigger.';
drop trigger if exists video_jobs_end_foreign_results on video_jobs;
create trigger video_jobs_end_foreign_results after update of status on video_jobs
  for each row when (new.status = 'completed' and old.status <> 'completed' and new.video_url is not null) execute function internal.end_foreign_results();
