-- The caller agrees to something, or takes it back. Saying the same again changes nothing but who was named; a guardian who took consent back at Apple agrees anew. A version of
-- ai_processing that does not hold names nobody, so that it counts for no model, should it ever be published. Whoever takes back that prompts go to AI providers
-- ends what has not gone out yet.
create or replace function record_consent(p_kind text, p_version text, p_granted boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  -- Locked, so that many at once are counted as one after another.
  v_me uuid := (lock_account(require_caller())).id;
  v_terms jsonb := get_consent_terms(p_kind, 'en');
  v_holds boolean := p_kind = 'ai_processing' and coalesce(v_terms ->> 'version' = p_version, false);
  v_recipients text[] := case when v_holds then array(select jsonb_array_elements_text(v_terms -> 'recipients')) when p_kind = 'ai_processing' then '{}' end;
begin
  if p_granted then
    insert into user_consents as c (user_id, kind, version, recipients) values (v_me, p_kind, p_version, v_recipients)
    on conflict (user_id, kind, version) where withdrawn_at is null do update set
      recipients = case when v_holds then excluded.recipients else c.recipients end,
      granted_at = case when p_kind = 'guardian' and guardian_consent_is_rescinded(v_me) then excluded.granted_at else c.granted_at end;
  else
    -- Taking back means whatever version was agreed to.
    update user_consents set withdrawn_at = clock_timestamp() where user_id = v_me and kind = p_kind and withdrawn_at is null;
    if p_kind = 'ai_processing' and exists (select from installation where ai_consent = 'on') then
      perform cancel_queued_jobs(v_me, 'ERR_4013', 'The consent was taken back before the video was begun.');
    elsif p_kind = 'guardian' then
      perform apply_age_refusal(v_me);
    end if;
  end if;
end
$$;
comment on function record_consent(text, text, boolean) is 'Records or withdraws the caller''s consent; without ai_processing, or a guardians where the declared age needs it, queued jobs end. Raises ERR_4005, ERR_4006.';
