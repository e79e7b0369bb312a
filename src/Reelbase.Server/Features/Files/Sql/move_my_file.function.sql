create or replace function move_my_file(p_bucket text, p_folder uuid, p_path text, p_to_bucket text, p_to_folder uuid, p_to_path text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
begin
  perform require_own_folder(p_to_folder);
  if exists (select from uploads u where u.bucket = p_to_bucket and u.folder = p_to_folder and u.path = p_to_path) then
    perform raise_error('ERR_4012', '{"reason":"exists"}');
  end if;
  update uploads set bucket = p_to_bucket, folder = p_to_folder, path = p_to_path, updated_at = clock_timestamp()
  where user_id = v_user.id and bucket = p_bucket and folder = p_folder and path = p_path;
  if not found then
    perform raise_error('ERR_4007', '{"what":"file"}');
  end if;
end
$$;
comment on function move_my_file(text, uuid, text, text, uuid, text) is
  'Gives a picture of the caller another name. Raises ERR_4005, ERR_4006, ERR_4007, ERR_4012.';
