-- A guardian's consent is gone: the account's sessions end and its queued jobs too, refunded; nothing is generated until a guardian agrees again. The user's row is
-- locked by the caller.
create or replace function internal.apply_rescinded_consent(p_user_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if not guardian_consent_is_rescinded(p_user_id) then
    return;
  end if;
  update user_consents set withdrawn_at = clock_timestamp() where user_id = p_user_id and kind in ('guardian', 'ai_processing') and withdrawn_at is null;
  perform cancel_queued_jobs(p_user_id, 'ERR_4013', 'A guardian took their consent back before the video was begun.');
  update sessions set revoked_at = clock_timestamp()
  where revoked_at is null and user_id in (select id from users where id = p_user_id or merged_into = p_user_id);
  update former_refresh_tokens set used_at = clock_timestamp()
  where used_at is null and user_id in (select id from users where id = p_user_id or merged_into = p_user_id);
end
$$;
comment on function internal.apply_rescinded_consent(uuid) is 'Ends sessions and queued jobs of an account whose guardian has taken their consent back. Internal to the definer functions.';
