-- The account that an account id or a merged-away id means. Any text is allowed, also one that is no uuid; null when nobody is meant.
create or replace function internal.find_account_id(p_user_id text) returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  if p_user_id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    return (select coalesce(u.merged_into, u.id) from users u where u.id = p_user_id::uuid and u.deleted_at is null);
  end if;
  return null;
end
$$;
comment on function internal.find_account_id(text) is 'The account that an id or merged-away id names; null when none.';
