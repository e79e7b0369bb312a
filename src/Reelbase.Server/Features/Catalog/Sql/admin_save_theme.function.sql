-- Makes a theme (no theme_id) or changes one; only the fields that are named change.
create or replace function admin_save_theme(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'theme_id', 'theme', false);
  v_fields jsonb := p_request - array['theme_id', 'reason'];
  v_old themes;
  v_new themes;
  v_unknown text;
begin
  select key into v_unknown from jsonb_object_keys(v_fields) key
  where key not in ('name', 'description', 'thumbnail_url', 'prompt', 'is_featured', 'is_available', 'default_settings',
    'featured_until', 'translations') limit 1;
  if v_unknown is not null then
    perform raise_error('ERR_4000', jsonb_build_object('field', left(v_unknown, 64), 'reason', 'unknown'));
  end if;
  if exists (select from jsonb_each(case when jsonb_typeof(v_fields -> 'translations') = 'object' then v_fields -> 'translations' else '{}' end) language,
      lateral jsonb_each(case when jsonb_typeof(language.value) = 'object' then language.value else '{"": null}' end) text
      where language.key not in ('tr', 'es') or text.key not in ('name', 'description', 'prompt') or jsonb_typeof(text.value) <> 'string') then
    perform raise_error('ERR_4000', '{"field":"translations","reason":"wrong_type"}');
  end if;
  if v_id is not null then
    select * into v_old from themes where id = v_id for no key update;
    if not found then
      perform raise_error('ERR_4007', '{"what":"theme"}');
    end if;
  else
    v_old.id := gen_random_uuid();
    v_old.is_featured := false;
    v_old.is_available := false;
    v_old.default_settings := '{}';
    v_old.translations := '{}';
    v_old.version := 1;
    v_old.created_at := now();
  end if;
  begin
    v_new := jsonb_populate_record(v_old, v_fields);
    if v_id is null then
      insert into themes select (v_new).*;
    else
      update themes set name = v_new.name, description = v_new.description, thumbnail_url = v_new.thumbnail_url, prompt = v_new.prompt,
        is_featured = v_new.is_featured, is_available = v_new.is_available, default_settings = v_new.default_settings,
        featured_until = v_new.featured_until, translations = v_new.translations where id = v_id;
    end if;
  exception when integrity_constraint_violation or data_exception or invalid_parameter_value or cannot_coerce or datatype_mismatch then
    perform raise_error('ERR_4000', '{"field":"theme","reason":"does_not_fit_together"}');
  end;
  perform write_admin_action(v_admin, case when v_id is null then 'theme_create' else 'theme_edit' end, p_request, null, null, v_new.id::text, null,
    jsonb_build_object('changed', v_fields));
  return jsonb_build_object('success', true, 'theme_id', v_new.id);
end
$$;
comment on function admin_save_theme(jsonb) is
  '{"success":true,"theme_id":uuid}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
