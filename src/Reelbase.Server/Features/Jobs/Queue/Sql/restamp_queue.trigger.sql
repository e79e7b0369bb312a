-- Puts a user's waiting jobs one pass after the other again, by age: after a change of tier, a merge, or when one of them left the queue unserved
-- (p_freed_key: where it stood). A job that moves to another tier begins at that tier's next pass, before the newcomers of it. The user row is locked by the caller.
create or replace function internal.restamp_queue(p_user_id uuid, p_provider text default null, p_freed_key bigint default null) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_lane text := (select queue_lane(u.tier, u.is_guest) from users u where u.id = p_user_id);
begin
  update video_jobs j set queue_lane = w.lane, queue_key = w.queue_key
  from (
    select o.job_id, v_lane as lane,
      (((least(min(o.start_key) over user_jobs, p_freed_key) >> 26) + row_number() over (partition by o.provider order by o.created_at, o.job_id) - 1) << 26)
        | (least(min(o.start_key) over user_jobs, p_freed_key) & 67108863) as queue_key
    from (
      select a.job_id, a.provider, a.created_at, case when (a.queue_lane = 'premium') = (v_lane = 'premium') then a.queue_key
        else ((queue_pass(a.provider, v_lane) + 1) << 26) | (a.queue_key & 67108863) end as start_key
      from video_jobs a
      where a.user_id = p_user_id and a.stage = 'queued' and a.leased_by is null and a.queue_key > 0
        and (p_provider is null or a.provider = p_provider)) o
    window user_jobs as (partition by o.provider)
    union all
    select r.job_id, v_lane || '_retry', r.queue_key
    from video_jobs r where r.user_id = p_user_id and r.stage = 'queued' and r.leased_by is null and r.queue_lane like '%retry') w
  where j.job_id = w.job_id and j.stage = 'queued' and j.leased_by is null and (j.queue_lane, j.queue_key) is distinct from (w.lane, w.queue_key);
end
$$;
comment on function internal.restamp_queue(uuid, text, bigint) is 'Puts a user''s waiting jobs in order again after a change of tier, a merge or a cancel. Internal to the queue.';

create or replace function internal.restamp_queue_of_user() returns trigger language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform restamp_queue(new.id);
  -- Being handed over: it may come back, when its worker dies.
  update video_jobs set queue_lane = queue_lane(new.tier, new.is_guest) where user_id = new.id and stage = 'queued' and leased_by is not null;
  return null;
end
$$;
comment on function internal.restamp_queue_of_user() is 'A user''s jobs wait in the lane of what the user is now. For a trigger.';
drop trigger if exists users_restamp_queue on users;
create trigger users_restamp_queue after update of tier, is_guest, premium_granted_by on users
  for each row when (old.tier <> new.tier or old.is_guest <> new.is_guest) execute function internal.restamp_queue_of_user();

create or replace function internal.restamp_queue_of_job() returns trigger language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if new.user_id <> old.user_id then
    perform restamp_queue(new.user_id, new.provider);
  else
    perform restamp_queue(new.user_id, new.provider, old.queue_key);
  end if;
  return null;
end
$$;
comment on function internal.restamp_queue_of_job() is 'Restamps what its user has waiting when a job changes hands or leaves the queue unserved. For triggers.';
drop trigger if exists video_jobs_restamp_moved on video_jobs;
create trigger video_jobs_restamp_moved after update of user_id on video_jobs
  for each row when (new.stage = 'queued' and new.user_id <> old.user_id) execute function internal.restamp_queue_of_job();
drop trigger if exists video_jobs_restamp_left on video_jobs;
create trigger video_jobs_restamp_left after update of stage on video_jobs
  for each row when (old.stage = 'queued' and new.stage = 'finished' and old.served_turn is null and old.queue_lane in ('premium', 'member', 'guest'))
  execute function internal.restamp_queue_of_job();
