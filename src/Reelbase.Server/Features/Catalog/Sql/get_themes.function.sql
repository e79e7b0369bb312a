-- The themes on offer in a language: a translation stands in for each text that it has, English for the others.
-- Dropped first, since a result with another column is another type.
drop function if exists get_themes(text);
create function get_themes(p_language text) returns table (
  id uuid, name text, description text, thumbnail_url text, prompt text, is_featured boolean, is_available boolean,
  default_settings jsonb, version integer, created_at timestamptz, featured_until timestamptz)
language sql stable as $$
  select t.id, coalesce(t.translations -> p_language ->> 'name', t.name), coalesce(t.translations -> p_language ->> 'description', t.description),
    t.thumbnail_url, coalesce(t.translations -> p_language ->> 'prompt', t.prompt),
    t.is_featured and (t.featured_until is null or t.featured_until > now()), t.is_available, t.default_settings, t.version, t.created_at, t.featured_until
  from themes t
  order by 6 desc, 2, 1
$$;
comment on function get_themes(text) is
  'Themes on offer in a language (en, tr, es): featured first (until featured_until), then by name. Row security hides the others.';
