create or replace function record_device_bit_set(p_grant_id uuid, p_leased_by text)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if not holds_device_grant_turn(p_leased_by) then
    return false;
  end if;
  update device_grants set stage = 'bit_set' where id = p_grant_id and leased_by = p_leased_by and stage = 'queried';
  if not found then
    perform end_device_grant_turn(p_leased_by);
    return false;
  end if;
  return true;
end
$$;
comment on function record_device_bit_set(uuid, text) is 'Notes that Apple has stored bit0 for a claimed grant; false when the turn was lost.';
