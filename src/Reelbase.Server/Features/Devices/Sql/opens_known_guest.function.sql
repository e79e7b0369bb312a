-- Whether a device id may open a guest who exists: only UUID ids do, since they have 122 bits and cannot be guessed. Two of them everybody can name.
-- In PL/pgSQL, which keeps its plan, as device_id_hash is.
create or replace function internal.opens_known_guest(p_device_id text) returns boolean
language plpgsql immutable set search_path = internal, public, pg_temp as $$
begin
  return p_device_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
    and lower(p_device_id) not in ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
end
$$;
comment on function internal.opens_known_guest(text) is 'Whether an id of this form opens an existing guest. Internal to the device functions.';
