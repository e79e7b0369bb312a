-- Whoever writes a device id, what is stored is its SHA-256: an id alone was once enough to be somebody.
create or replace function internal.hash_device_id() returns trigger
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  new.device_id := stored_device_id(new.device_id);
  return new;
end
$$;
comment on function internal.hash_device_id() is 'Trigger: a device id is stored as its hash.';
drop trigger if exists users_device_id_hash on users;
create trigger users_device_id_hash before insert or update of device_id on users for each row execute function internal.hash_device_id();
drop trigger if exists device_checks_device_id_hash on device_checks;
create trigger device_checks_device_id_hash before insert or update of device_id on device_checks for each row execute function internal.hash_device_id();
drop trigger if exists device_grants_device_id_hash on device_grants;
create trigger device_grants_device_id_hash before insert or update of device_id on device_grants for each row execute function internal.hash_device_id();
