-- The caller's account and every guest that was merged into it. Ledger rows never move, so history reads through this.
create or replace function my_user_ids() returns uuid[]
language sql stable security definer set search_path = public, pg_temp as $$
  select array_agg(id) from users where id = my_user_id() or merged_into = my_user_id()
$$;
comment on function my_user_ids() is 'The caller''s account id and the ids merged into it; null when nobody is signed in.';
