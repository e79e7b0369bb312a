-- The stored form of an id that a phone says; rows that an earlier release wrote under the id itself are brought to it, so that everything after reads one form.
-- Whoever calls holds the lock of the device.
create or replace function internal.adopt_device_id(p_device_id text) returns text
-- As in note_device_opening: a plan that is made while the tables are small would read the whole of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
declare
  v_hash text := device_id_hash(p_device_id);
  v_plain text := case when opens_known_guest(p_device_id) then lower(p_device_id) else p_device_id end;
begin
  if stored_device_id(v_plain) = v_plain then
    -- Said in the form of a hash: no row holds such an id as it is.
    return v_hash;
  end if;
  -- Asked first, since hardly any is left and an update costs to begin with.
  if exists (select from users u where u.device_id = v_plain) then
    update users u set device_id = v_hash where u.device_id = v_plain and not exists (select from users h where h.device_id = v_hash);
  end if;
  if exists (select from device_checks d where d.device_id = v_plain) then
    update device_checks d set device_id = v_hash where d.device_id = v_plain and not exists (select from device_checks h where h.device_id = v_hash);
  end if;
  return v_hash;
end
$$;
comment on function internal.adopt_device_id(text) is 'The stored form of a device id, to which rows of earlier releases are brought. Internal to open_device and claim_unverified_user.';
