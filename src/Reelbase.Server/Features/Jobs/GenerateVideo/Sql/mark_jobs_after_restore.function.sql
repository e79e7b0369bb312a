-- After a restore, or a failover to a standby that lacks commits: a job that stands here as queued may have been submitted in the time that
-- was lost. Nobody knows, so every job that waits or is being submitted, and was accepted before p_accepted_before (null: before the restore
-- began, or now), becomes ambiguous and is never submitted again. With one of p_webhook_providers (null: any) it waits p_deadline_seconds for a webhook; with another one nothing can
-- come, and it fails and is refunded after p_wait_seconds. Answers how many there were; submitting goes on from here. A second time finds
-- none that came before the first.
create or replace function mark_jobs_after_restore(
  p_wait_seconds integer, p_deadline_seconds integer, p_webhook_providers text[] default null, p_accepted_before timestamptz default null)
returns integer language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
  v_count integer := 0;
  v_now timestamptz := clock_timestamp();
  -- admin restore begins the setting with its time.
  v_restored_at text := current_setting('reelbase.restored_at', true);
  v_accepted_before timestamptz := coalesce(p_accepted_before,
    case when submissions_are_held() then substring(v_restored_at from '^\d{8}T\d{6}\.\d{6}Z')::timestamptz end, v_now);
begin
  -- One at a time, and none of them beside whoever walks the queue.
  perform 1 from installation for update;
  perform pg_advisory_xact_lock(hashtextextended('reelbase:waiting_line', 0));
  for v_job in
    update video_jobs j set stage = 'ambiguous', status = 'processing', leased_by = null, lease_until = null,
      attempt = j.attempt + (j.stage = 'queued')::integer,
      -- Of one that stood as queued nobody knows when it was submitted, or whether; it takes no place at its provider (claim_video_jobs).
      submitted_at = case when j.stage = 'submitting' then j.submitted_at end,
      deadline_at = v_now + make_interval(secs => w.seconds), run_after = v_now + make_interval(secs => w.seconds)
    from (select o.job_id, case when p_webhook_providers is null or o.provider = any (p_webhook_providers)
        then p_deadline_seconds else p_wait_seconds end as seconds
      from video_jobs o where o.stage in ('queued', 'submitting') and o.created_at <= v_accepted_before
      order by o.job_id for no key update) w
    where j.job_id = w.job_id returning j.*
  loop
    insert into job_submissions (job_id, user_id, provider, attempt, expected_cost_micros, webhook_token_hash, outcome, detail)
    values (v_job.job_id, v_job.user_id, v_job.provider, v_job.attempt, estimate_provider_cost(v_job.model_id, v_job.settings),
      sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')), 'ambiguous',
      'the database was restored; the job may have been submitted in the time that was lost')
    on conflict on constraint job_submissions_attempt_key do update set outcome = 'ambiguous', detail = excluded.detail
      where job_submissions.outcome = 'intended';
    v_count := v_count + 1;
  end loop;
  if v_count > 0 then
    perform raise_alert('database_restored', v_now::text,
      format('The database was restored: %s jobs may have been submitted before and are not submitted again. They end by webhook, or with a refund.', v_count));
  end if;
  update installation set restore_handled = nullif(v_restored_at, '');
  return v_count;
end
$$;
comment on function mark_jobs_after_restore(integer, integer, text[], timestamptz) is
  'Makes every job ambiguous that may have been submitted in time that a restore or failover has lost; answers how many. Submitting is held until it ran.';
