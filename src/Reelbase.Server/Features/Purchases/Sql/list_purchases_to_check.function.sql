-- compatibility: the previous release's nodes call this; goes in the next release.
-- One purchase of each buyer whose purchases Apple has not been asked about for a while: with it, Apple lists all that
-- the buyer bought and had refunded. Old ones last; Apple takes refunds of about three months back at most, we read twice that.
create or replace function list_purchases_to_check(p_environment text, p_older_than_seconds integer, p_limit integer)
returns table (transaction_id text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select d.transaction_id from (
    select distinct on (p.user_id) p.transaction_id, p.checked_at from purchases p
    where p.environment = p_environment and p.credited_at is not null and p.purchased_at > clock_timestamp() - interval '180 days'
    order by p.user_id, p.purchased_at desc) d
  where d.checked_at is null or d.checked_at <= clock_timestamp() - make_interval(secs => p_older_than_seconds)
  order by d.checked_at nulls first limit least(p_limit, 10000)
$$;
comment on function list_purchases_to_check(text, integer, integer) is 'A purchase of each buyer whom the reconciliation has not checked lately.';
