-- Whoever switches a model on ends its pause, and its jobs in the queue go on.
create or replace function internal.end_model_pause() returns trigger language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if new.paused_reason is not null then
    new.paused_at := null;
    new.paused_reason := null;
    update video_jobs set run_after = clock_timestamp() where job_id in (
      select j.job_id from video_jobs j
      where j.provider = new.provider and j.stage = 'queued' and j.model_id = new.id and j.run_after > clock_timestamp()
      for no key update skip locked);
  end if;
  return new;
end
$$;
comment on function internal.end_model_pause() is 'Ends the pause of a model that is switched on. For a trigger.';
drop trigger if exists models_end_pause on models;
create trigger models_end_pause before update on models
  for each row when (new.is_available and not old.is_available) execute function internal.end_model_pause();
