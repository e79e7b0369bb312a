-- Whoever may make no videos any more gets back what has not gone out. The user's row is locked by the caller. Answers whether they may.
create or replace function internal.apply_age_refusal(p_user_id uuid) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if age_refusal(p_user_id) is null then
    return true;
  end if;
  perform cancel_queued_jobs(p_user_id, 'ERR_4014', 'The declared age no longer allowed it before the video was begun.');
  return false;
end
$$;
comment on function internal.apply_age_refusal(uuid) is 'Ends and refunds queued jobs of an account that may make no videos at its declared age; whether it may. Internal to set_age_band, on_account_merged_ages and record_consent.';
