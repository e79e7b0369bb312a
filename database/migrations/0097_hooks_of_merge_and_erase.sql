-- Each feature moves and removes its own rows when accounts are merged or erased (on_account_merged_*, on_account_erased_*); these three were called by
-- merge_accounts and erase_account only, and have new names.
drop function if exists settle_promo_merge(uuid, uuid);
drop function if exists merge_age_bands(uuid, uuid);
drop function if exists revoke_apple_authorizations(uuid[]);
