-- Locks the account that an id means, through a merge that was committed while we waited: whoever changes a balance or
-- a user's jobs begins with it. A guest who was merged away before is not locked at all; one who is merged while we wait is, and then the
-- member, in the order of merge_accounts. Nulls when there is none.
create or replace function internal.lock_account(p_user_id uuid) returns users
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users;
begin
  select * into v_user from users
  where id = coalesce((select u.merged_into from users u where u.id = p_user_id), p_user_id) for no key update;
  if v_user.merged_into is not null then
    -- Members are never merged away, so one step is all there is.
    select * into v_user from users where id = v_user.merged_into for no key update;
  end if;
  return v_user;
end
$$;
comment on function internal.lock_account(uuid) is 'The row of the account that an id or merged-away id means, locked. Internal to the definer functions.';
