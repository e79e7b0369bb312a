-- Models and themes of the staged rows. What is here already stays as it is. The active model stays active when it can still be generated with; else the
-- one of this installation goes on.
create or replace function internal.import_catalog() returns void
language plpgsql set search_path = internal, public, pg_temp set timezone = 'UTC' as $$
declare
  v_active uuid;
begin
  insert into models (id, name, category, description, cost_per_generation, provider, provider_model_id, is_featured, is_available, is_active, pricing_type,
    credits_per_second, required_fields, has_audio, thumbnail_url, sunset_at, provider_cost, created_at)
  select import_uuid(o ->> 'id'), coalesce(nullif(o ->> 'name', ''), 'Unnamed model'), coalesce(nullif(o ->> 'category', ''), 'video'), o ->> 'description', p.cost,
    case when lower(o ->> 'provider') ~ '^[a-z][a-z0-9_]{1,30}$' then lower(o ->> 'provider') else 'fal' end, nullif(o ->> 'provider_model_id', ''),
    coalesce((o ->> 'is_featured')::boolean, false), coalesce((o ->> 'is_available')::boolean, true), false, p.pricing_type, p.credits_per_second,
    case when jsonb_typeof(o -> 'required_fields') = 'object' then o -> 'required_fields' else '{}' end, coalesce((o ->> 'has_audio')::boolean, false),
    nullif(o ->> 'thumbnail_url', ''),
    coalesce(import_moment(o ->> 'sunset_at'), vendor_shutdown(o ->> 'provider_model_id', o ->> 'name')),
    case when o ->> 'provider_cost' ~ '^[0-9]{1,6}(\.[0-9]{1,15})?$' then (o ->> 'provider_cost')::numeric end, coalesce(import_moment(o ->> 'created_at'), now())
  from import_rows r, import_price(r.o) p
  where r.kind = 'models' and import_uuid(o ->> 'id') is not null
  on conflict (id) do nothing;

  select m.id into v_active from import_rows r join models m on m.id = import_uuid(r.o ->> 'id')
  where r.kind = 'models' and (r.o ->> 'is_active')::boolean and model_is_offered(m.is_available, m.provider_model_id, m.sunset_at)
  order by (r.o ->> 'created_at'), (r.o ->> 'id') limit 1;
  if v_active is not null then
    update models set is_active = false where is_active and id <> v_active;
    update models set is_active = true where id = v_active;
  end if;

  insert into themes (id, name, description, thumbnail_url, prompt, is_featured, is_available, default_settings, created_at)
  select import_uuid(o ->> 'id'), coalesce(nullif(o ->> 'name', ''), 'Unnamed theme'), o ->> 'description', o ->> 'thumbnail_url', coalesce(o ->> 'prompt', ''),
    coalesce((o ->> 'is_featured')::boolean, false), coalesce((o ->> 'is_available')::boolean, true),
    case when jsonb_typeof(o -> 'default_settings') = 'object' and not jsonb_path_exists(jsonb_strip_nulls(o -> 'default_settings'), '$.** ? (@ == null)')
      then jsonb_strip_nulls(o -> 'default_settings') else '{}' end,
    coalesce(import_moment(o ->> 'created_at'), now())
  from import_rows where kind = 'themes' and import_uuid(o ->> 'id') is not null
  on conflict (id) do nothing;
end
$$;
comment on function internal.import_catalog() is 'Carries the staged models and themes over. For the import, which runs as the owner.';
