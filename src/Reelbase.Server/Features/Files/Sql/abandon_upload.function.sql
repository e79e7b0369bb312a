create or replace function abandon_upload(p_object_id uuid) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update storage_objects set state = 'deleting', run_after = clock_timestamp() where id = p_object_id and bucket = 'pictures' and state = 'pending'
$$;
comment on function abandon_upload(uuid) is 'Gives a picture up that was announced and not finished; without it the worker does so after an hour.';
