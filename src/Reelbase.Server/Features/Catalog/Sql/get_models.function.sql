-- The models on offer, featured ones first, with the public columns only. Prices and vendor ids stay inside.
-- Dropped first, since a result with another column is another type; the previous release reads its columns by name.
drop function if exists get_models();
create function get_models() returns table (
  id uuid, name text, category text, description text, cost_per_generation integer, pricing_type text,
  credits_per_second integer, required_fields jsonb, has_audio boolean, is_featured boolean, thumbnail_url text,
  provider text, sunset_at timestamptz, is_active boolean)
language sql stable as $$
  select m.id, m.name, m.category, m.description, m.cost_per_generation, m.pricing_type, m.credits_per_second,
    m.required_fields, m.has_audio, m.is_featured, m.thumbnail_url, m.provider, m.sunset_at, m.is_active
  from models m
  order by m.is_featured desc, m.name, m.id
$$;
comment on function get_models() is 'Models on offer: featured first, then by name. Row security hides the others.';
