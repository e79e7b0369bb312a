-- compatibility: the previous release's nodes call this; goes in the next release
-- An attempt to sign in has failed: after p_max of them in a row the admin is locked out for a while, which grows with each further one.
create or replace function note_admin_failure(p_user_id uuid, p_max integer, p_lock_seconds integer) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_failed integer;
begin
  update admin_credentials set failed_attempts = failed_attempts + 1,
    locked_until = case when failed_attempts + 1 >= p_max
      then clock_timestamp() + make_interval(secs => least(86400, p_lock_seconds * power(2, least(10, failed_attempts + 1 - p_max)))) else locked_until end
  where user_id = p_user_id returning failed_attempts into v_failed;
  if v_failed = p_max then
    perform raise_alert('admin_locked_out', p_user_id || ':' || clock_timestamp(), format('Somebody failed %s times to sign in as admin %s.', p_max, p_user_id));
  end if;
end
$$;
comment on function note_admin_failure(uuid, integer, integer) is
  'Counts a failed attempt and locks after too many.';
