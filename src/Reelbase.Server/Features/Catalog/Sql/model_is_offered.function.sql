-- Whether a model can be generated with right now: switched on, known to its provider, not past its sunset.
create or replace function model_is_offered(p_is_available boolean, p_provider_model_id text, p_sunset_at timestamptz)
returns boolean language sql stable parallel safe as $$
  select p_is_available and p_provider_model_id is not null and (p_sunset_at is null or p_sunset_at > now())
$$;
comment on function model_is_offered(boolean, text, timestamptz) is 'Whether clients see a model and may generate with it.';
