-- What an endpoint costs us for a second or a video, as one of its rows says; null when none does.
create or replace function find_provider_cost(p_provider text, p_model_id text) returns numeric
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select m.provider_cost from models m where m.provider = p_provider and m.provider_model_id = p_model_id and m.provider_cost > 0 order by m.created_at limit 1
$$;
comment on function find_provider_cost(text, text) is 'The provider_cost of a row of this endpoint, or null.';
