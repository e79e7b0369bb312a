-- A user_id in a query or body is optional; when present it must mean the caller. Somebody else: ERR_4006;
-- nobody at all: ERR_4007.
create or replace function match_user_id(p_user_id text) returns void
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid := find_account_id(p_user_id);
begin
  if v_id is null then
    perform raise_error('ERR_4007', '{"what":"user"}');
  elsif v_id is distinct from my_user_id() then
    perform raise_error('ERR_4006', '{"reason":"another_user"}');
  end if;
end
$$;
comment on function match_user_id(text) is 'Raises ERR_4007 for an unknown user_id and ERR_4006 for somebody else''s.';
