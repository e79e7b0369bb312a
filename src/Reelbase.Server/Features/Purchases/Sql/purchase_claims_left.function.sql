-- compatibility: the previous release's nodes call this; goes in the next release.
-- Failed claims of purchases that a user still has in the window; good ones cost none.
create or replace function purchase_claims_left(p_limit integer, p_window_seconds integer)
returns table (remaining integer, retry_after_seconds integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
begin
  return query
  select p_limit - count(*)::integer, ceil(extract(epoch from min(r.created_at) + make_interval(secs => p_window_seconds) - clock_timestamp()))::integer
  from rate_limit_log r
  where r.user_id = v_me and r.action = 'purchase_failed' and r.created_at > clock_timestamp() - make_interval(secs => p_window_seconds);
end
$$;
comment on function purchase_claims_left(integer, integer) is 'How many failed purchase claims the caller has left, and when the next comes free. Raises ERR_4005, ERR_4006.';
