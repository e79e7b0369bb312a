-- Who is next in a lane; and how many are before a job.
create index concurrently if not exists video_jobs_queue_idx on video_jobs (provider, queue_lane, queue_key) where stage = 'queued' and leased_by is null;
-- A user's last job in the queue, after which the next one is stamped. Of stamped ones only: a predicate that no other question has, so that no plan takes it for theirs.
create index concurrently if not exists video_jobs_user_queue_idx on video_jobs (user_id, provider, queue_key)
  where stage = 'queued' and leased_by is null and queue_key > 0;
-- Who is being handed over, and whose worker has died.
create index concurrently if not exists video_jobs_held_idx on video_jobs (provider, lease_until) where stage = 'queued' and leased_by is not null;
alter table video_jobs validate constraint video_jobs_queue_lane_check;
drop index concurrently if exists video_jobs_line_idx;
comment on index video_jobs_queue_idx is 'next_in_queue and count_ahead: a lane of a provider''s queue in its order';
comment on index video_jobs_user_queue_idx is 'keep_queue_key: the last job that a user has waiting';
comment on index video_jobs_held_idx is 'claim_video_jobs: what is being handed over, and what a dead worker left';
