-- Removes a guest who was made for one device-check only, so that a refusal changes nothing. Whoever has a session, a ledger row or anything else that
-- refers to them stays: a row that cannot go must not stop the grants of everybody.
create or replace function internal.delete_unused_guest(p_user_id uuid) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if exists (select from sessions s where s.user_id = p_user_id) or exists (select from quota_log q where q.user_id = p_user_id)
    or exists (select from device_grants g where g.user_id = p_user_id and g.decided_at is null) then
    return false;
  end if;
  begin
    delete from users where id = p_user_id and is_guest and merged_into is null;
    return found;
  exception when foreign_key_violation or restrict_violation then
    return false;
  end;
end
$$;
comment on function internal.delete_unused_guest(uuid) is 'Deletes a guest whom nothing refers to; false when they stay. Internal to the grant functions.';
