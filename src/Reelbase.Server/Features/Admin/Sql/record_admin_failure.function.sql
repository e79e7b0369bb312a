-- An attempt to sign in has failed. Failures are counted by account and address, and each p_lock_seconds without one takes one off again; at p_max
-- of them the account is locked there, for p_lock_seconds. Failures of an account from anywhere are alerted, once a day.
create or replace function record_admin_failure(p_email text, p_network inet, p_max integer, p_lock_seconds integer) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_now timestamptz := clock_timestamp();
  v_user_id uuid;
  v_failed integer;
begin
  -- Whoever tries e-mails of nobody leaves no heap behind.
  delete from admin_sign_in_failures where (account, network) in (
    select account, network from admin_sign_in_failures where failed_at < v_now - interval '1 day' order by failed_at limit 100 for update skip locked);
  insert into admin_sign_in_failures as f (account, network, failures, failed_at, locked_until)
  values (admin_account(p_email), p_network, 1, v_now, case when p_max <= 1 then v_now + make_interval(secs => p_lock_seconds) end)
  on conflict on constraint admin_sign_in_failures_pkey do update set
    failures = least(p_max, greatest(0, f.failures - floor(extract(epoch from v_now - f.failed_at) / p_lock_seconds)::integer) + 1),
    locked_until = case when greatest(0, f.failures - floor(extract(epoch from v_now - f.failed_at) / p_lock_seconds)::integer) + 1 >= p_max
      then v_now + make_interval(secs => p_lock_seconds) else f.locked_until end,
    failed_at = v_now;
  update admin_credentials c set failed_attempts = c.failed_attempts + 1
  from users u where u.id = c.user_id and u.is_admin and normalize_email(u.email) = normalize_email(p_email)
  returning c.user_id, c.failed_attempts into v_user_id, v_failed;
  if v_failed >= p_max then
    perform raise_alert('admin_locked_out', v_user_id || ':' || to_char(v_now at time zone 'UTC', 'YYYY-MM-DD'),
      format('Somebody failed %s times to sign in as admin %s.', v_failed, v_user_id));
  end if;
end
$$;
comment on function record_admin_failure(text, inet, integer, integer) is
  'Counts a failed attempt by account and address, and locks the account there after too many.';
