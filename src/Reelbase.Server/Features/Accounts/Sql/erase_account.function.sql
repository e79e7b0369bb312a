-- An account goes: its files, jobs' content, sessions, tokens, devices and everything that says who it was. Its bare row, its
-- ledger, its purchases and the bare rows of its jobs stay for audit, under an id that means nobody any more. Jobs that have not
-- begun are cancelled and refunded; jobs with a provider are cancelled there and end unseen. Twice is once.
-- Answers {"erased", "jobs_left", "had_apple", "apple_tokens"}: whether it did anything, jobs that the worker still has to end,
-- whether the account was signed in with Apple, and tokens of Apple that are going to be revoked.
create or replace function internal.erase_account(p_user_id uuid) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users;
  v_ids uuid[];
  v_devices text[];
  v_jobs_left integer;
  v_tokens integer;
begin
  v_user := lock_account(p_user_id);
  if v_user.id is null or v_user.deleted_at is not null then
    return '{"erased":false,"jobs_left":0,"had_apple":false,"apple_tokens":0}';
  end if;
  -- The guests that are part of it, whose rows change too. Somebody who was waiting for such a guest while it was being merged may hold its
  -- row and want ours next: then a conflict is raised, and whoever called tries again.
  begin
    perform 1 from users where merged_into = v_user.id order by id for no key update nowait;
  exception when lock_not_available then
    raise exception 'a guest of account % is being worked for; again', v_user.id using errcode = '40001';
  end;
  select array_agg(id), array_agg(device_id) || array_agg(stored_device_id(device_id)) into v_ids, v_devices from users where id = v_user.id or merged_into = v_user.id;

  -- Each feature removes its own rows; the order is that of the locks of whoever works on these rows, jobs first.
  v_jobs_left := on_account_erased_generate_video(v_ids);
  perform on_account_erased_import(v_ids);
  perform on_account_erased_files(v_ids);
  perform on_account_erased_provider_callbacks(v_ids);
  perform forget_request_logs(v_ids);
  perform on_account_erased_purchases(v_ids);
  perform on_account_erased_ages(v_ids);
  delete from user_consents where user_id = any (v_ids);
  perform on_account_erased_reports(v_ids);
  perform on_account_erased_push(v_ids);
  perform on_account_erased_devices(v_ids, v_devices);
  perform on_account_erased_sessions(v_ids);
  perform erase_older_rows(v_ids);
  v_tokens := on_account_erased_sign_in(v_ids);
  update users set email = null, device_id = null, apple_sub = null, is_admin = false, tier = 'free', app_transactions = '{}', theme_preference = 'system', user_metadata = '{}',
    deleted_at = clock_timestamp(), updated_at = clock_timestamp()
  where id = any (v_ids);
  return jsonb_build_object('erased', true, 'jobs_left', v_jobs_left, 'had_apple', v_user.apple_sub is not null,
    'apple_tokens', v_tokens);
end
$$;
comment on function internal.erase_account(uuid) is
  'Removes an account and all that says who it was, keeping ledger and purchases; answers erased, jobs_left, had_apple and apple_tokens. Internal to the definer functions.';
