-- A text of an admin request, trimmed, or null when it is absent and need not be there.
create or replace function internal.read_admin_text(p_request jsonb, p_name text, p_max_length integer, p_is_required boolean default false) returns text
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_text text := btrim(p_request ->> p_name);
begin
  if jsonb_typeof(p_request -> p_name) not in ('string', 'null') then
    perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'wrong_type'));
  elsif coalesce(v_text, '') = '' then
    if p_is_required then
      perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'required'));
    end if;
    return null;
  elsif char_length(v_text) > p_max_length then
    perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'too_long', 'max_characters', p_max_length));
  end if;
  return v_text;
end
$$;
comment on function internal.read_admin_text(jsonb, text, integer, boolean) is
  'A trimmed text of a request; raises ERR_4000.';
