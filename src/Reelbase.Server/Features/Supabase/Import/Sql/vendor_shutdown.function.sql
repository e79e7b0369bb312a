-- When a vendor has shut a model down for good; null for every other one.
create or replace function internal.vendor_shutdown(p_provider_model_id text, p_name text) returns timestamptz
language sql immutable set search_path = internal, public, pg_temp as $$
  select case when p_provider_model_id ~* '(^|/)sora-2(/|$)' or (nullif(p_provider_model_id, '') is null and p_name ~* '^sora\M')
    then timestamptz '2026-09-24 00:00:00+00' end
$$;
comment on function internal.vendor_shutdown(text, text) is 'When a model was shut down by its vendor, or null. For the import, which runs as the owner.';
