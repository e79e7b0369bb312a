create or replace function list_failing_providers() returns table (provider text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select s.provider from provider_states s
  where s.failing_since is not null and s.is_configured and (s.paused_until is null or s.paused_until <= clock_timestamp())
$$;
comment on function list_failing_providers() is 'Providers in an outage whose pause is over: somebody should ask whether they are back.';
