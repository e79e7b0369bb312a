revoke all on apple_authorizations, used_identity_tokens from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function sign_in_with_apple(text, text, bytea, timestamptz), find_guest_to_merge(text, text, inet), keep_apple_authorization(uuid, text, bytea)
  to reelbase_api;
grant execute on function join_apple_account(text, text, boolean), link_apple_identity(text, text, boolean, bytea, timestamptz) to authenticated;
grant execute on function claim_apple_authorizations(text, integer, integer), claim_apple_authorizations(text, integer, integer, integer),
  record_apple_authorization(bigint, text, text, bytea, text, double precision), apply_account_event(text, text, timestamptz)
  to reelbase_worker;
