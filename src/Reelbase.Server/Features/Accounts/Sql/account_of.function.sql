create or replace function internal.account_of(p_user_id uuid) returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (select coalesce(u.merged_into, u.id) from users u where u.id = p_user_id);
end
$$;
comment on function internal.account_of(uuid) is 'The account that an id or merged-away id means; null when nobody is meant.';
