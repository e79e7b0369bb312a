-- A claim of a purchase takes its place among the failed ones before anything is asked of Apple, and gives it back when it turns out to be
-- good (finish_claim_place): of any number at once no more than p_limit can fail. Whoever finds the window full of failures waits for the
-- oldest; who finds places that are only held by claims under way comes again in a moment. A place whose server died is held for two minutes.
create or replace function take_claim_place(p_ip inet, p_limit integer, p_window_seconds integer)
returns table (place_id bigint, retry_after_seconds integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_failed integer;
  v_held integer;
  v_oldest timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended(concat_ws('|', 'rate', 'purchase_failed', v_me), 0));
  select count(*) filter (where r.action = 'purchase_failed'), count(*) filter (where r.action = 'purchase_claim'),
    min(r.created_at) filter (where r.action = 'purchase_failed')
  into v_failed, v_held, v_oldest
  from rate_limit_log r
  where r.user_id = v_me and ((r.action = 'purchase_failed' and r.created_at > clock_timestamp() - make_interval(secs => p_window_seconds))
    or (r.action = 'purchase_claim' and r.created_at > clock_timestamp() - interval '2 minutes'));
  if v_failed + v_held < p_limit then
    insert into rate_limit_log (ip_address, action, user_id, created_at) values (p_ip, 'purchase_claim', v_me, clock_timestamp())
    returning id into place_id;
  elsif v_failed >= p_limit then
    retry_after_seconds := greatest(1, coalesce(
      ceil(extract(epoch from v_oldest + make_interval(secs => p_window_seconds) - clock_timestamp())), p_window_seconds))::integer;
  else
    retry_after_seconds := 1;
  end if;
  return next;
end
$$;
comment on function take_claim_place(inet, integer, integer) is
  'Takes a place for a purchase claim that may fail: place_id, or retry_after_seconds when none is left. Raises ERR_4005, ERR_4006.';
