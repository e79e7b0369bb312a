create or replace function forget_storage_object(p_id uuid, p_leased_by text)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  delete from storage_objects where id = p_id and leased_by = p_leased_by and state = 'deleting'
$$;
comment on function forget_storage_object(uuid, text) is 'Removes the row of a file that is gone.';
