revoke all on unverified_uses, former_refresh_tokens from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function claim_unverified_user(text, inet, integer, integer), count_unverified_uses(text, bigint),
  use_former_refresh_token(bytea, uuid, bytea, integer, integer) to reelbase_api;
