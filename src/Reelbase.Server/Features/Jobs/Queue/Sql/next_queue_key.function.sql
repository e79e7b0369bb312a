-- The key of a job that enters a queue: the pass after its user's last waiting job and after what its lane's tier was served to, then the user's ticket. Whoever
-- waits already keeps their ticket, so that the users of a pass go round in the same order. One expression, so that PostgreSQL puts it into its callers.
create or replace function internal.next_queue_key(p_last_key bigint, p_pass bigint) returns bigint language sql volatile as $$
  select ((greatest(p_pass, p_last_key >> 26, 0) + 1) << 26) | (coalesce(p_last_key, nextval('queue_ticket')) & 67108863)
$$;
comment on function internal.next_queue_key(bigint, bigint) is 'Where a job enters its provider''s queue. Internal to the queue and generate_video.';
