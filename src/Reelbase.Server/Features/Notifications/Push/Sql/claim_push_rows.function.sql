-- Leases pushes that are due. p_about_jobs: only those about a job. A push for few credits is dropped when there are enough again.
create or replace function internal.claim_push_rows(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer, p_about_jobs boolean)
returns setof push_notifications
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_keys text[];
begin
  v_keys := array(
    select n.id::text from push_notifications n
    where n.status = 'pending' and n.dead_at is null and n.run_after <= clock_timestamp()
      and (n.lease_until is null or n.lease_until < clock_timestamp()) and (n.job_id is not null or not p_about_jobs)
    order by n.run_after limit p_limit for no key update skip locked);
  perform end_spent_work('push_notifications', v_keys, p_max_attempts);
  delete from push_notifications n using users u
  where n.id = any (v_keys::uuid[]) and n.dead_at is null and u.id = n.user_id and u.credits_remaining >= n.threshold;
  return query
  update push_notifications n set leased_by = p_leased_by, attempt = n.attempt + 1, run_after = clock_timestamp() + work_pause(n.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where n.id = any (v_keys::uuid[]) and n.dead_at is null
  returning n.*;
end
$$;
comment on function internal.claim_push_rows(text, integer, integer, integer, boolean) is
  'Leases pushes that are due, and gives up those that were tried too often. Internal to the claim functions.';
