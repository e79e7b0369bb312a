revoke all on promo_codes, promo_redemptions, promo_claims from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function redeem_promo_code(bytea, uuid, inet, jsonb) to authenticated;
grant execute on function create_promo_code(uuid, text, text, text, text, integer, integer, timestamptz, timestamptz), list_promo_codes(),
  end_promo_code(uuid, text, uuid) to reelbase_admin;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_create_promo_code(jsonb), admin_end_promo_code(jsonb), admin_list_promo_codes(jsonb), admin_list_promo_redemptions(jsonb)
  to authenticated;
