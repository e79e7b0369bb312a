create or replace function list_outages() returns table (provider text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select s.provider from provider_states s where s.failing_since is not null and s.is_configured order by 1
$$;
comment on function list_outages() is 'Configured providers that are failing now.';
