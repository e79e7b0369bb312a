-- What came of a claimed code or token. held: exchanged, p_secret is the encrypted refresh token; when its account has gone
-- meanwhile it goes on to be revoked. revoked, lost: the secret is erased. later: again after p_retry_after_seconds.
create or replace function record_apple_authorization(
  p_id bigint, p_leased_by text, p_outcome text, p_secret bytea, p_error text, p_retry_after_seconds double precision)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  update apple_authorizations set
    stage = case p_outcome when 'later' then stage when 'held' then case when revoke_wanted then 'revoking' else 'held' end else p_outcome end,
    secret = case p_outcome when 'later' then secret when 'held' then p_secret end,
    attempt = case p_outcome when 'held' then 0 else attempt end,
    last_error = left(p_error, 200), updated_at = clock_timestamp(), leased_by = null, lease_until = null,
    run_after = clock_timestamp() + make_interval(secs => coalesce(p_retry_after_seconds, 0))
  where id = p_id and leased_by = p_leased_by
$$;
comment on function record_apple_authorization(bigint, text, text, bytea, text, double precision) is
  'Records held, revoked, lost or later for a claimed authorization.';
