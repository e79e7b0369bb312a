-- Each feature moves and removes its own rows when accounts are merged or erased (on_account_merged_*, on_account_erased_*); these three were called by
-- merge_accounts and erase_account only, and have new names.
drop function if exists settle_promo_merge(uuid, uuid);
drop function if exists merge_age_bands(uuid, uuid);
drop function if exists revoke_apple_authorizations(uuid[]);
comment on index apple_authorizations_user_idx is 'on_account_merged_sign_in and on_account_erased_sign_in: the authorizations of a user';
comment on index device_checks_user_idx is 'on_account_merged_devices: the devices of a user';
comment on index device_grants_user_idx is 'on_account_merged_devices: the grants of a user';
comment on index device_keys_user_idx is 'on_account_merged_devices: the keys of a user';
comment on index device_openings_user_idx is 'on_account_erased_devices: the openings of a user';
comment on index former_refresh_tokens_user_idx is 'on_account_erased_sessions: the former tokens of a user';
comment on index import_files_user_idx is 'on_account_erased_import: the imported files of a user';
comment on index job_submissions_user_idx is 'on_account_merged_generate_video: the submissions of a user';
comment on index purchases_user_idx is 'account_of and on_account_merged_purchases: the purchases of a user';
comment on index storage_objects_user_idx is 'list_my_files and on_account_erased_files: the files of a user';
comment on index webhook_deliveries_user_idx is 'on_account_erased_provider_callbacks: the events of a user';
