-- One batch of the cleanup; call it until it answers 0. What it does, by p_kind:
--   videos       jobs older than video_days: files, prompt and picture go, the bare row stays (0 days: never). A video that was
--                made before Reelbase and lies elsewhere was never ours to remove.
--   idempotency  stored answers past their end          rate_limits  places taken longer than rate_limit_days ago
--   errors       error_log older than error_days        sessions     revoked for a day, or of a user who is gone
--   payloads     what was in handled messages, and pushes, older than payload_days; rows of messages stay
-- Rows that somebody holds are passed over: nobody waits for the cleanup. p_dry_run counts all that would go and changes nothing.
create or replace function clean_up(p_kind text, p_rules jsonb, p_limit integer, p_dry_run boolean) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_before timestamptz := clock_timestamp() - make_interval(days => coalesce((p_rules ->> case p_kind
    when 'videos' then 'video_days' when 'rate_limits' then 'rate_limit_days' when 'errors' then 'error_days'
    when 'payloads' then 'payload_days' end)::integer, 0));
  v_count bigint := 0;
  v_more bigint;
  v_user_id uuid;
  v_job_id uuid;
begin
  case p_kind
    when 'videos' then
      if (p_rules ->> 'video_days')::integer = 0 then
        return 0;
      elsif p_dry_run then
        select count(*) into v_count from video_jobs where stage = 'finished' and deleted_at is null and created_at < v_before
        and coalesce(video_url, '') not like 'http%';
        return v_count;
      end if;
      -- One user at a time, whose row is locked first as everywhere.
      select user_id into v_user_id from video_jobs where stage = 'finished' and deleted_at is null and created_at < v_before
        and coalesce(video_url, '') not like 'http%'
      order by created_at limit 1;
      if found then
        v_user_id := (lock_account(v_user_id)).id;
        for v_job_id in select job_id from video_jobs
          where user_id = v_user_id and stage = 'finished' and deleted_at is null and created_at < v_before
        and coalesce(video_url, '') not like 'http%' limit p_limit
        loop
          perform erase_video_job(v_job_id);
          v_count := v_count + 1;
        end loop;
      end if;
    when 'idempotency' then
      if p_dry_run then
        select count(*) into v_count from idempotency_log where expires_at < clock_timestamp();
      else
        delete from idempotency_log where (user_id, idempotency_key) in (
          select user_id, idempotency_key from idempotency_log where expires_at < clock_timestamp() limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
      end if;
    when 'rate_limits' then
      if p_dry_run then
        select count(*) into v_count from rate_limit_log where created_at < v_before;
      else
        delete from rate_limit_log where id in (select id from rate_limit_log where created_at < v_before limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
      end if;
    when 'errors' then
      if p_dry_run then
        select count(*) into v_count from error_log where created_at < v_before;
      else
        delete from error_log where id in (select id from error_log where created_at < v_before limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
      end if;
    when 'sessions' then
      if p_dry_run then
        select count(*) into v_count from sessions s join users u on u.id = s.user_id
        where s.revoked_at < clock_timestamp() - interval '1 day' or u.deleted_at is not null;
      else
        -- The refresh tokens of a session go with it.
        delete from sessions where id in (
          select id from sessions where revoked_at < clock_timestamp() - interval '1 day' limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        delete from sessions where id in (
          select s.id from users u join sessions s on s.user_id = u.id where u.deleted_at is not null limit p_limit for update of s skip locked);
        get diagnostics v_more = row_count;
        v_count := v_count + v_more;
      end if;
    when 'payloads' then
      if p_dry_run then
        select count(*) into v_count from webhook_deliveries where payload is not null and status <> 'pending' and created_at < v_before;
        select v_count + count(*) into v_count from push_notifications where finished_at < v_before;
      else
        update webhook_deliveries set payload = null where id in (
          select id from webhook_deliveries where payload is not null and status <> 'pending' and created_at < v_before
          limit p_limit for update skip locked);
        get diagnostics v_count = row_count;
        delete from push_notifications where id in (
          select id from push_notifications where finished_at < v_before limit p_limit for update skip locked);
        get diagnostics v_more = row_count;
        v_count := v_count + v_more;
      end if;
  end case;
  return v_count;
end
$$;
comment on function clean_up(text, jsonb, integer, boolean) is
  'Removes one batch of what is old enough (kinds: videos, idempotency, rate_limits, errors, sessions, payloads); answers how many, 0 when done.';
