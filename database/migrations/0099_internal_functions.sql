-- Functions that nobody but the owner may execute move out of the schema in which roles call theirs. They are moved and not made anew, so what hangs on them (triggers, an index, rights)
-- stays on the one there is. A new installation has only those that earlier migrations make; the files of the functions make the others in their place.
do $$
declare
  c_functions constant text[] := array[
    'account_of', 'admin_account', 'admin_role', 'admit_credits', 'admit_device_key', 'adopt_device_id', 'adopt_purchase', 'age_refusal', 'alert_queue_expired',
    'app_setting_fault', 'app_setting_limits', 'apple_moment', 'apply_age_refusal', 'apply_rescinded_consent', 'assess_device', 'await_bill', 'begin_admin_session',
    'bound_app_settings', 'bound_app_transactions', 'bound_consents', 'cancel_queued_jobs', 'change_user_metadata', 'check_app_setting', 'check_balance_matches_ledger',
    'check_ledger_row', 'check_model_input', 'claim_push_rows', 'clean_up_uploads', 'clean_up_videos', 'consent_recipients', 'consent_was_taken_back', 'count_ahead',
    'count_picture_bytes', 'count_theme_versions', 'count_user_jobs', 'count_waiting', 'delete_unused_guest', 'derive_tier', 'describe_job', 'describe_model', 'describe_purchase',
    'describe_queue', 'describe_storage_use', 'describe_user', 'device_id_hash', 'drop_raw_body', 'end_device_grant_turn', 'end_foreign_results', 'end_model_pause',
    'end_spent_work', 'end_unproven_sessions', 'end_video_job', 'enqueue_low_credits', 'enqueue_pushes', 'erase_account', 'erase_older_rows', 'erase_video_job',
    'estimate_job_seconds', 'estimate_provider_cost', 'event_belongs_to', 'extend_promo_claims', 'fail_webhook_delivery', 'fill_provider_input', 'find_account_id',
    'find_admin_replay', 'find_running_retry', 'finish_approval', 'fits_balance', 'follow_purchase_tier', 'forget_admin_failures', 'forget_request_logs', 'give_admin_place_back',
    'give_up_device_grant', 'guardian_consent_is_rescinded', 'hash_device_id', 'hash_device_ids', 'holds_device_grant_turn', 'holds_place', 'import_begin', 'import_catalog',
    'import_catalog_findings', 'import_compare', 'import_finish_file', 'import_integer', 'import_jobs', 'import_moment', 'import_note_source', 'import_pictures', 'import_price',
    'import_refresh_token', 'import_reserve_file', 'import_stage', 'import_tables', 'import_unescaped', 'import_users', 'import_uuid', 'insert_video_job', 'is_admin_session',
    'keep_an_admin', 'keep_consent_terms', 'keep_device_key', 'keep_device_verdict', 'keep_passkey_challenge', 'keep_queue_key', 'line_up_app_settings', 'list_attention',
    'list_dead_work', 'list_open_jobs', 'list_unverified_uses', 'lock_account', 'lock_admin_target', 'lock_job', 'lock_job_credits', 'mask_device_id', 'may_join_device_key',
    'measure_model_seconds', 'measure_statistics', 'merge_accounts', 'merge_model', 'merge_temporary_guest', 'missing_ai_consent', 'model_recipients', 'model_vendor',
    'move_request_logs', 'next_in_queue', 'next_queue_key', 'normalize_email', 'note_app_transaction', 'note_balance_below_zero', 'note_device_opening', 'note_language_choice',
    'note_promo_subjects', 'note_served', 'note_settings_change', 'note_storage_use', 'on_account_erased_ages', 'on_account_erased_devices', 'on_account_erased_files',
    'on_account_erased_generate_video', 'on_account_erased_import', 'on_account_erased_provider_callbacks', 'on_account_erased_purchases', 'on_account_erased_push',
    'on_account_erased_reports', 'on_account_erased_sessions', 'on_account_erased_sign_in', 'on_account_merged_ages', 'on_account_merged_credits', 'on_account_merged_devices',
    'on_account_merged_files', 'on_account_merged_generate_video', 'on_account_merged_promo_codes', 'on_account_merged_provider_callbacks', 'on_account_merged_purchases',
    'on_account_merged_push', 'on_account_merged_reports', 'on_account_merged_sign_in', 'open_keyless_guest', 'open_temporary_guest', 'opens_known_guest', 'price_generation',
    'promo_subjects', 'provider_input_fault', 'provider_works', 'purchase_owner', 'purchased_tier', 'queue_lane', 'queue_pass', 'queue_position', 'queue_retry_key',
    'read_admin_integer', 'read_admin_text', 'read_admin_uuid', 'read_storage_use', 'reconcile_storage_use', 'refresh_job_credits', 'refresh_queue', 'refuse_admin_action_change',
    'refuse_ledger_change', 'refuse_sandbox', 'release_expected_cost', 'remove_admin', 'request_schedule', 'require_model_offered', 'require_operator', 'require_own_picture',
    'require_prompt_fits', 'require_recent_sign_in', 'require_right_over', 'require_upload_fits', 'resolve_settings', 'restamp_queue', 'restamp_queue_of_job',
    'restamp_queue_of_user', 'return_job_credits', 'sandbox_caps', 'set_role_of', 'settle_purchase', 'snap_duration', 'sort_key', 'store_admin_answer', 'stored_device_id',
    'submission_is_accepted', 'surcharge_percent', 'surcharges_fault', 'take_admin_place', 'take_approval', 'use_admin_code', 'use_identity_token', 'utf16_length', 'uuid_v7',
    'vendor_shutdown', 'was_made_as_admin', 'with_json_times', 'work_pause', 'work_table', 'write_admin_action', 'younger_age_band'];
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proowner = 'reelbase_owner'::regrole and p.proname = any (c_functions)
  loop
    execute format('alter function %s set schema internal', v_function);
  end loop;
end
$$;
