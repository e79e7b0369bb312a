-- The metadata with changes: members of p_changes replace those of the same name, a null removes one.
create or replace function internal.change_user_metadata(p_metadata jsonb, p_changes jsonb) returns jsonb
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_metadata jsonb := p_metadata;
begin
  if p_changes is not null then
    if jsonb_typeof(p_changes) <> 'object' then
      perform raise_error('ERR_4000', '{"field":"data","reason":"not_an_object"}');
    end if;
    select coalesce(jsonb_object_agg(e.key, e.value), '{}') into v_metadata from jsonb_each(p_metadata || p_changes) e where e.value <> 'null';
  end if;
  if octet_length(v_metadata::text) > 2048 then
    perform raise_error('ERR_4000', '{"field":"data","reason":"too_large"}');
  end if;
  return v_metadata;
end
$$;
comment on function internal.change_user_metadata(jsonb, jsonb) is 'Metadata of a user after changes, at most 2048 bytes. Raises ERR_4000. Internal to the auth functions.';
