-- p_retry_after_seconds null: decided, one way or the other. Otherwise it is polled again then, at most p_max_attempts times.
create or replace function finish_purchase_claim(
  p_user_id uuid, p_transaction_id text, p_leased_by text, p_retry_after_seconds double precision, p_max_attempts integer)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  delete from purchase_claims where user_id = p_user_id and transaction_id = p_transaction_id
    and leased_by = p_leased_by and (p_retry_after_seconds is null or attempt >= p_max_attempts);
  update purchase_claims set leased_by = null, lease_until = null,
    run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
  where user_id = p_user_id and transaction_id = p_transaction_id and leased_by = p_leased_by;
$$;
comment on function finish_purchase_claim(uuid, text, text, double precision, integer) is 'Ends a kept claim, or leaves it for a later poll.';
