-- Apple's permission for these users is to be taken back: tokens go to the worker, codes that are not exchanged yet follow
-- after their exchange. Answers how many there are. Internal.
create or replace function internal.on_account_erased_sign_in(p_user_ids uuid[]) returns integer
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_count integer;
begin
  update apple_authorizations set revoke_wanted = true, attempt = 0, dead_at = null, updated_at = clock_timestamp(),
    stage = case when stage = 'held' then 'revoking' else stage end, run_after = clock_timestamp()
  where user_id = any (p_user_ids) and stage in ('code', 'held', 'revoking');
  get diagnostics v_count = row_count;
  return v_count;
end
$$;
comment on function internal.on_account_erased_sign_in(uuid[]) is 'Marks the Apple tokens of users for revocation; answers how many. Internal to the definer functions.';
