create or replace function forget_push_token(p_token text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform require_caller();
  delete from push_tokens where token = p_token and user_id = any (my_user_ids());
end
$$;
comment on function forget_push_token(text) is 'Removes a push token of the caller; nothing happens when it is not theirs. Raises ERR_4005, ERR_4006.';
