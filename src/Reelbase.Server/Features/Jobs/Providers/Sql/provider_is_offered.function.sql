-- Whether a provider's models may be offered: its keys are there and it has not been failing for too long. A provider
-- that no worker has spoken of yet is given the benefit of the doubt.
create or replace function provider_is_offered(p_provider text) returns boolean
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return coalesce((
    select provider_works(s.is_configured, s.failing_since, s.outage_seconds)
    from provider_states s where s.provider = p_provider), true);
end
$$;
comment on function provider_is_offered(text) is 'Whether a provider is configured and not in a long outage.';
