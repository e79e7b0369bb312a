-- What a user has to be asked before their prompt goes to a provider; null when nothing. They have agreed to the version that holds now, when everybody was named to whom
-- this model sends; a model of a new recipient asks again, the others do not. p_model null: whatever the model. Builds that were shipped before the app could ask are
-- exempt until a date, and so is a retry by support of what they sent.
create or replace function internal.missing_ai_consent(p_user_id uuid, p_model models, p_is_retry boolean) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_rule installation;
  v_version text;
  v_terms jsonb;
begin
  if guardian_consent_is_rescinded(p_user_id) then
    v_terms := get_consent_terms('ai_processing', 'en');
    return jsonb_build_object('kind', 'guardian', 'version', v_terms -> 'version', 'recipients', coalesce(v_terms -> 'recipients', '[]'));
  end if;
  select * into v_rule from installation;
  if v_rule.ai_consent is distinct from 'on' then
    return null;
  elsif v_rule.ai_consent_exempt_until > clock_timestamp()
      and (p_is_retry or coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'unverified', '') = 'true') then
    return null;
  end if;
  -- Nearly everybody has agreed: who would have to be named is worked out for the others only.
  select t.version into v_version from consent_terms t where t.kind = 'ai_processing' order by t.published_at desc limit 1;
  if exists (select from user_consents c where c.user_id = p_user_id and c.kind = 'ai_processing' and c.withdrawn_at is null and c.version = v_version
      and (c.recipients is null or case when p_model.id is null then c.recipients <> '{}' else c.recipients @> model_recipients(p_model) end)) then
    return null;
  end if;
  v_terms := get_consent_terms('ai_processing', 'en');
  return jsonb_build_object('version', v_terms -> 'version', 'recipients', coalesce(v_terms -> 'recipients', '[]'));
end
$$;
comment on function internal.missing_ai_consent(uuid, models, boolean) is
  '{"version","recipients":[...]} that a user has yet to agree to, or null. Internal to generate_video, insert_video_job and my_press_refusal.';
