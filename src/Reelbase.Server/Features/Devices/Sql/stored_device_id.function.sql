-- The stored form of an id that a row holds: itself, or the SHA-256 of one that an earlier release wrote as it was. For what rows hold, never for what
-- somebody says: whoever has read a hash could say that.
-- In PL/pgSQL, which keeps its plan: a trigger calls this for each row with a device id.
create or replace function internal.stored_device_id(p_stored text) returns text
language plpgsql immutable strict set search_path = internal, public, pg_temp as $$
begin
  if p_stored ~ '^sha256:[0-9a-f]{64}$' then
    return p_stored;
  end if;
  return device_id_hash(p_stored);
end
$$;
comment on function internal.stored_device_id(text) is 'The hash of a device id that a row holds in either form. Internal to the definer functions.';
