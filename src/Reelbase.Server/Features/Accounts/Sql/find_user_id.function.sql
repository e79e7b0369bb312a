-- The account that a text names under the switch for shipped apps (Server:AcceptUnverifiedUserId): an account id, a merged-away id, or, for apps that fell
-- back to their own identifier, a device id. Nowhere else does a device id name anybody. Null when nobody is meant.
create or replace function find_user_id(p_user_id text) returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return coalesce(find_account_id(p_user_id), (
    select u.id from users u
    where (u.device_id = device_id_hash(p_user_id) or (u.device_id = case when opens_known_guest(p_user_id) then lower(p_user_id) else p_user_id end and p_user_id !~ '^sha256:')) and u.deleted_at is null
    order by u.device_id !~ '^sha256:' limit 1));
end
$$;
comment on function find_user_id(text) is
  'The account that an id, merged-away id or device id names under the switch for shipped apps; null when none.';
