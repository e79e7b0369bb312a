-- The caller's account and every guest that was merged into it. Ledger rows never move, so history reads through this.
create or replace function my_user_ids() returns uuid[]
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := my_user_id();
begin
  return (select array_agg(id) from users where id = v_me or merged_into = v_me);
end
$$;
comment on function my_user_ids() is 'The caller''s account id and the ids merged into it; null when nobody is signed in.';
