-- A phone is known by its user or by its id, as it was written and as its hash.
create or replace function internal.on_account_erased_devices(p_user_ids uuid[], p_devices text[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from device_grants where user_id = any (p_user_ids) or device_id = any (p_devices);
  delete from device_openings where user_id = any (p_user_ids);
  delete from temporary_guests where user_id = any (p_user_ids);
  delete from device_questions where device_hash = any (p_devices);
  delete from device_keys where user_id = any (p_user_ids) or device_hash = any (p_devices);
  delete from device_checks where user_id = any (p_user_ids) or device_id = any (p_devices);
end
$$;
comment on function internal.on_account_erased_devices(uuid[], text[]) is 'Removes all that is known of the phones. Internal to erase_account, which has locked the account.';
