-- Said by each worker at its start: whether it has the keys of a provider, after how long an outage hides its models, and the name that users read.
create or replace function announce_provider(p_provider text, p_is_configured boolean, p_outage_seconds integer, p_display_name text)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  insert into provider_states (provider, is_configured, outage_seconds, display_name)
  values (p_provider, p_is_configured, nullif(p_outage_seconds, 0), p_display_name)
  on conflict (provider) do update set is_configured = excluded.is_configured, outage_seconds = excluded.outage_seconds,
    display_name = excluded.display_name, updated_at = now()
$$;
comment on function announce_provider(text, boolean, integer, text) is 'Records that a provider is configured; p_outage_seconds 0 never hides its models.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function announce_provider(p_provider text, p_is_configured boolean, p_outage_seconds integer)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  select announce_provider(p_provider, p_is_configured, p_outage_seconds, (select s.display_name from provider_states s where s.provider = p_provider))
$$;
comment on function announce_provider(text, boolean, integer) is 'Records that a provider is configured; p_outage_seconds 0 never hides its models.';
