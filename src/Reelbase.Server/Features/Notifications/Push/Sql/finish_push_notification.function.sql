-- What Apple said to a push: sent; gone (the token is no phone's any more and is removed, unless it was registered anew after
-- p_gone_at); failed; or null, then it is tried again after p_retry_after_seconds. p_environment: where the token turned out to belong.
create or replace function finish_push_notification(
  p_id uuid, p_leased_by text, p_status text, p_error text, p_retry_after_seconds double precision, p_gone_at timestamptz, p_environment text)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_push push_notifications;
begin
  update push_notifications set status = coalesce(p_status, status), last_error = left(p_error, 200),
    finished_at = case when p_status is not null then clock_timestamp() end,
    run_after = clock_timestamp() + make_interval(secs => coalesce(p_retry_after_seconds, 0)),
    leased_by = null, lease_until = null
  where id = p_id and leased_by = p_leased_by returning * into v_push;
  if v_push.id is null then
    return;
  end if;
  if p_status = 'gone' then
    delete from push_tokens where token = v_push.token and registered_at <= coalesce(p_gone_at, v_push.created_at + interval '1 day');
  elsif p_environment is not null then
    update push_tokens set environment = p_environment where token = v_push.token;
  end if;
end
$$;
comment on function finish_push_notification(uuid, text, text, text, double precision, timestamptz, text) is
  'Records what came of a push; removes the token when it is gone.';
