-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function join_apple_account(p_apple_sub text, p_email text, p_may_merge boolean) returns table (user_id uuid, outcome text)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from link_apple_identity(p_apple_sub, p_email, p_may_merge)
$$;
comment on function join_apple_account(text, text, boolean) is 'link_apple_identity without a token, for nodes of the previous release. Raises ERR_4005, ERR_4006, ERR_4012.';
