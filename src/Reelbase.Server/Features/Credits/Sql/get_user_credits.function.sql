create or replace function get_user_credits() returns table (credits_remaining integer, credits_total integer)
language plpgsql stable as $$
declare
  v_me uuid := require_caller();
begin
  return query select u.credits_remaining, u.credits_total from users u where u.id = v_me;
end
$$;
comment on function get_user_credits() is 'The caller''s balance and lifetime total. Raises ERR_4005, ERR_4006.';
