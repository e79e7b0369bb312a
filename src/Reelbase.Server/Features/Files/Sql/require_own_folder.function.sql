create or replace function require_own_folder(p_folder uuid) returns void
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  perform require_caller();
  if p_folder is null or not (p_folder = any (my_user_ids())) then
    perform raise_error('ERR_4006', '{"reason":"not_your_folder"}');
  end if;
end
$$;
comment on function require_own_folder(uuid) is 'Raises ERR_4006 when a folder is not named after an id of the caller, ERR_4005, ERR_4006 as require_caller.';
