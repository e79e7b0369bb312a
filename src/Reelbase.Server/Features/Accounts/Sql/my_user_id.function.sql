-- The account of the caller: the id in the token, or the account it was merged into. A merged-away id keeps working,
-- because a phone may hold it for ever. Null when nobody is signed in or the account is gone.
create or replace function my_user_id() returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid := auth.uid();
begin
  return (
    select coalesce(m.id, u.id)
    from users u left join users m on m.id = u.merged_into
    where u.id = v_id and coalesce(m.deleted_at, u.deleted_at) is null);
end
$$;
comment on function my_user_id() is 'The caller''s account id after merges, or null. Used by every policy.';
