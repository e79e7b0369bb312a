-- Apple has stored bit1 for a phone as our ban says (p_bit0: as it was), or refuses its token (null): the next token will do.
-- Nothing is recorded when the turn was lost.
create or replace function finish_device_mark(p_grant_id uuid, p_leased_by text, p_bit0 boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_grant device_grants;
begin
  if not holds_device_grant_turn(p_leased_by) then
    return;
  end if;
  update device_grants set stage = case when p_bit0 is null then 'rejected' else 'denied' end, decided_at = clock_timestamp(),
    device_token = null, leased_by = null, lease_until = null
  where id = p_grant_id and leased_by = p_leased_by and stage = 'requested' and purpose = 'mark' returning * into v_grant;
  if v_grant.id is not null and p_bit0 is not null then
    update device_checks set bit0 = p_bit0, bit1 = v_grant.bit1_wanted, last_query_at = clock_timestamp(), updated_at = now()
    where device_id in (v_grant.device_id, stored_device_id(v_grant.device_id));
  end if;
  perform end_device_grant_turn(p_leased_by);
end
$$;
comment on function finish_device_mark(uuid, text, boolean) is 'Ends a mark of bit1, done or refused, and the turn; nothing when the turn was lost.';
