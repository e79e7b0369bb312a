-- A temporary guest becomes part of the guest of their device; both rows are locked by the caller, the temporary one's first. Their sessions go on only
-- when Apple has accepted the very token that opened them: others would be inside an account that they have not proven to be theirs. Whoever has become
-- a member, has left or was banned meanwhile is merged into nobody. No credits arise: the balance moves through two ledger rows.
drop function if exists join_temporary_guest(uuid, uuid, boolean);
create or replace function internal.merge_temporary_guest(p_guest_id uuid, p_known_id uuid, p_is_proven boolean) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_guest users;
begin
  delete from temporary_guests where user_id = p_guest_id;
  if not found then
    return false;
  end if;
  select * into v_guest from users where id = p_guest_id;
  if not v_guest.is_guest or v_guest.merged_into is not null or v_guest.deleted_at is not null or v_guest.banned_at is not null
    or p_guest_id = p_known_id
    -- Debts are not handed to an account that nobody has proven to be theirs.
    or (not p_is_proven and v_guest.credits_remaining < 0) then
    return false;
  end if;
  if not p_is_proven then
    -- Somebody else's phone would ring with what the known guest does.
    delete from push_notifications where user_id = p_guest_id and status = 'pending';
    delete from push_tokens where user_id = p_guest_id;
    -- What was declared, agreed to or taken back there is not the known guest's word; their app says it again.
    delete from age_bands where user_id = p_guest_id;
    delete from user_consents where user_id = p_guest_id;
    update users set user_metadata = '{}', app_transactions = '{}' where id = p_guest_id;
  end if;
  perform merge_accounts(p_guest_id, p_known_id);
  if not p_is_proven then
    update sessions set revoked_at = clock_timestamp() where user_id = p_guest_id and revoked_at is null;
  end if;
  return true;
end
$$;
comment on function internal.merge_temporary_guest(uuid, uuid, boolean) is
  'Merges a temporary guest into the guest of their device; false when they are no such guest any more. Internal to the device functions.';
