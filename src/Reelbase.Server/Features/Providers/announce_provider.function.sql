-- Said by each worker at its start: whether it has the keys of a provider, and after how long an outage hides its models.
create or replace function announce_provider(p_provider text, p_is_configured boolean, p_outage_seconds integer)
returns void language sql security definer set search_path = public, pg_temp as $$
  insert into provider_states (provider, is_configured, outage_seconds) values (p_provider, p_is_configured, nullif(p_outage_seconds, 0))
  on conflict (provider) do update set is_configured = excluded.is_configured, outage_seconds = excluded.outage_seconds, updated_at = now()
$$;
comment on function announce_provider(text, boolean, integer) is 'Records that a provider is configured; p_outage_seconds 0 never hides its models.';
