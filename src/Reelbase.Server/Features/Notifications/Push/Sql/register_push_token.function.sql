-- Registers a phone of the caller for pushes. A token belongs to whoever registered it last; of too many the oldest go.
create or replace function register_push_token(p_token text, p_environment text, p_kind text, p_max_tokens integer) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
  v_me uuid := v_user.id;
begin
  if v_user.deleted_at is not null then
    perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
  end if;
  insert into push_tokens (token, user_id, environment, kind, registered_at)
  values (p_token, v_me, p_environment, p_kind, clock_timestamp())
  on conflict (token) do update set user_id = excluded.user_id, environment = excluded.environment, kind = excluded.kind,
    registered_at = excluded.registered_at;
  delete from push_tokens where token in (
    select token from push_tokens where user_id = v_me order by registered_at desc offset p_max_tokens);
end
$$;
comment on function register_push_token(text, text, text, integer) is 'Registers a push token of the caller. Raises ERR_4005, ERR_4006.';
