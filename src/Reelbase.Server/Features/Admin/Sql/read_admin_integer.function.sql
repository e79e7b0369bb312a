-- A whole number of an admin request within its bounds; the default when it is absent (null: it has to be there).
create or replace function internal.read_admin_integer(p_request jsonb, p_name text, p_min bigint, p_max bigint, p_default bigint default null) returns bigint
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_text text := p_request ->> p_name;
begin
  if v_text is null then
    if p_default is null then
      perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'required'));
    end if;
    return p_default;
  elsif v_text !~ '^-?[0-9]{1,18}$' then
    perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'not_a_whole_number'));
  elsif v_text::bigint not between p_min and p_max then
    perform raise_error('ERR_4000', jsonb_build_object('field', p_name, 'reason', 'out_of_range', 'min', p_min, 'max', p_max));
  end if;
  return v_text::bigint;
end
$$;
comment on function internal.read_admin_integer(jsonb, text, bigint, bigint, bigint) is
  'A whole number of a request within bounds; raises ERR_4000.';
