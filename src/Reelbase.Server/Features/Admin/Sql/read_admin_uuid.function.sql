-- An id of an admin request; what is no uuid names nothing.
create or replace function internal.read_admin_uuid(p_request jsonb, p_name text, p_what text, p_is_required boolean default true) returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_text text := p_request ->> p_name;
begin
  if coalesce(v_text, '') = '' then
    if p_is_required then
      perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'required'));
    end if;
    return null;
  elsif v_text !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then
    perform raise_error('ERR_4007', jsonb_build_object('what', p_what));
  end if;
  return v_text::uuid;
end
$$;
comment on function internal.read_admin_uuid(jsonb, text, text, boolean) is
  'An id of a request; raises ERR_4000, ERR_4007.';
