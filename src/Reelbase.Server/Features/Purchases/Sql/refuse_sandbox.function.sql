-- App Review and TestFlight buy in the sandbox with the production build, with accounts that nobody knows. Their purchases
-- count up to a cap for each user and for each day (UTC) in all; the operator gets an alert. Null: go on, otherwise why not.
-- p_policy null: support decides by hand, and nothing is refused.
create or replace function internal.refuse_sandbox(p_user_id uuid, p_purchase purchases, p_policy jsonb) returns text
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_caps record;
  v_today timestamptz := date_trunc('day', clock_timestamp() at time zone 'UTC') at time zone 'UTC';
begin
  if p_purchase.environment <> 'Sandbox' or p_policy is null then
    return null;
  end if;
  if not (p_policy ->> 'accept_sandbox')::boolean then
    return 'sandbox_not_accepted';
  end if;
  -- One at a time, so that two cannot both take what is left of the day.
  perform pg_advisory_xact_lock(hashtextextended('reelbase:sandbox_purchases', 0));
  select * into v_caps from sandbox_caps(p_policy);
  if p_purchase.credits + coalesce((select sum(p.credits) from purchases p
      where p.environment = 'Sandbox' and p.credited_at is not null and p.user_id in (
        select u.id from users u where u.id = p_user_id or u.merged_into = p_user_id)), 0) > v_caps.per_user then
    return 'sandbox_limit_of_user';
  end if;
  if p_purchase.credits + coalesce((select sum(p.credits) from purchases p
      where p.environment = 'Sandbox' and p.credited_at >= v_today), 0) > v_caps.per_day then
    perform raise_alert('sandbox_purchase', v_today::date || ':limit', 'The day''s limit of credits for sandbox purchases is reached; more are refused.');
    return 'sandbox_limit_of_day';
  end if;
  perform raise_alert('sandbox_purchase', v_today::date::text,
    'A sandbox purchase was credited (App Review or TestFlight). AppStore purchases of the sandbox are no revenue.');
  return null;
end
$$;
comment on function internal.refuse_sandbox(uuid, purchases, jsonb) is 'Why a sandbox purchase is not credited, or null; caps by user and by day.';
