-- compatibility: the previous release's nodes call this; goes in the next release.
create or replace function count_failed_claim(p_ip inet) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into rate_limit_log (ip_address, action, user_id, created_at) values (p_ip, 'purchase_failed', require_caller(), clock_timestamp())
$$;
comment on function count_failed_claim(inet) is 'Counts a purchase claim of the caller that failed. Raises ERR_4005, ERR_4006.';
