-- Whether somebody has taken back, since a job of theirs was accepted, that prompts go to AI providers: then it does not go out a second time. The user's row is locked by
-- the caller, so whoever takes it back now comes before or after.
create or replace function internal.consent_was_taken_back(p_user_id uuid, p_since timestamptz) returns boolean
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return guardian_consent_is_rescinded(p_user_id)
    or (exists (select from installation where ai_consent = 'on')
      and exists (select from user_consents c where c.user_id = p_user_id and c.kind = 'ai_processing' and c.withdrawn_at >= p_since)
      and not exists (select from user_consents c where c.user_id = p_user_id and c.kind = 'ai_processing' and c.withdrawn_at is null
        -- A version that does not hold names nobody.
        and c.recipients is distinct from '{}'));
end
$$;
comment on function internal.consent_was_taken_back(uuid, timestamptz) is 'Whether a user has taken their consent to AI providers back since a moment. Internal to record_submission_refused.';
