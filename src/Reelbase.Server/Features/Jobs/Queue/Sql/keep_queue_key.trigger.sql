-- Where a job stands in its provider's queue, decided whenever it enters: by insertion, or by coming back. The rule stands on the table, so that nobody who writes
-- a job can leave it out; generate_video reads what a place depends on with everything else, and then there is nothing left to decide. The user row is locked by the caller, so that two presses of one user are stamped one after the other.
create or replace function internal.keep_queue_key() returns trigger language plpgsql security definer set search_path = internal, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_lane text := (select queue_lane(u.tier, u.is_guest) from users u where u.id = new.user_id);
  v_last bigint;
begin
  if tg_op = 'UPDATE' and (new.served_turn is not null or new.run_after > clock_timestamp()) then
    -- It was handed out before, or waits for its next attempt: it alternates with the rest of its tier when it is due.
    new.queue_lane := v_lane || '_retry';
    new.queue_key := queue_retry_key(new.run_after);
    return new;
  end if;
  -- One that was put off without having been handed out (its model was paused), and is due again, is stamped as if it came now.
  select j.queue_key into v_last from video_jobs j
  where j.user_id = new.user_id and j.provider = new.provider and j.stage = 'queued' and j.leased_by is null and j.queue_key > 0
  order by j.queue_key desc limit 1;
  new.queue_lane := v_lane;
  new.queue_key := next_queue_key(v_last, queue_pass(new.provider, v_lane));
  return new;
end
$$;
comment on function internal.keep_queue_key() is 'Stamps a job that enters the queue, or comes back to it, with its lane and key. For triggers.';

drop trigger if exists video_jobs_enter_queue on video_jobs;
create trigger video_jobs_enter_queue before insert on video_jobs
  for each row when (new.stage = 'queued' and new.queue_key is null) execute function internal.keep_queue_key();

drop trigger if exists video_jobs_return_to_queue on video_jobs;
create trigger video_jobs_return_to_queue before update of stage, leased_by, run_after, provider on video_jobs
  for each row when (new.stage = 'queued' and new.leased_by is null
    and (old.stage <> 'queued' or old.leased_by is not null or old.run_after <> new.run_after or old.provider <> new.provider))
  execute function internal.keep_queue_key();
