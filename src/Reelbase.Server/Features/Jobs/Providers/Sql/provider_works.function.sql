-- The rule of provider_is_offered for a state that was read already. One expression, so that PostgreSQL puts it into its callers.
create or replace function internal.provider_works(p_is_configured boolean, p_failing_since timestamptz, p_outage_seconds integer) returns boolean language sql stable as $$
  select p_is_configured and (p_failing_since is null or p_outage_seconds is null or p_failing_since > now() - make_interval(secs => p_outage_seconds))
$$;
comment on function internal.provider_works(boolean, timestamptz, integer) is 'Whether a provider is configured and not in a long outage, by its state. Internal to provider_is_offered and generate_video.';
