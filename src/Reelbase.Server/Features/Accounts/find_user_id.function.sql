-- The account that a text names: an account id, a merged-away id, or (for shipped apps that fell back to their own
-- identifier) a device id. Any text is allowed, also one that is no uuid; null when nobody is meant.
create or replace function find_user_id(p_user_id text) returns uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_id uuid;
begin
  if p_user_id ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    select coalesce(u.merged_into, u.id) into v_id from users u where u.id = p_user_id::uuid and u.deleted_at is null;
  end if;
  if v_id is null then
    select u.id into v_id from users u where u.device_id = p_user_id and u.deleted_at is null;
  end if;
  return v_id;
end
$$;
comment on function find_user_id(text) is 'The account that an id, merged-away id or device id names; null when none.';
