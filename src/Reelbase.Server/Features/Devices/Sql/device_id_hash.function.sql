-- The form in which a device id is stored: it is a secret, so only its SHA-256. An id in UUID form is the same in capitals; any other is taken as it is.
-- In PL/pgSQL, which keeps its plan: a function in SQL is planned anew at each call, and a device-check calls this several times.
create or replace function internal.device_id_hash(p_device_id text) returns text
language plpgsql immutable strict set search_path = internal, public, pg_temp as $$
begin
  return 'sha256:' || encode(sha256(convert_to(
    case when p_device_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then lower(p_device_id) else p_device_id end, 'UTF8')), 'hex');
end
$$;
comment on function internal.device_id_hash(text) is 'The stored form of a device id: sha256: and 64 hexadecimal digits. Internal to the definer functions.';
