-- Decides, at a start, whether prompts go to providers only with consent. p_mode: required, off, or auto, which switches it on for a new installation in Production and
-- keeps what was decided there; where jobs existed before anybody could be asked it stays off until somebody says required. Without a date the one that was named stays: a node
-- that was started with fewer settings ends no exemption; a date in the past does. Answers as consent_rule.
create or replace function announce_consent_rule(p_mode text, p_is_production boolean, p_exempt_until timestamptz) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_now text;
  v_new text;
begin
  select ai_consent into v_now from installation for no key update;
  v_new := case
    when p_mode = 'required' then 'on'
    when p_mode = 'off' then 'off'
    when v_now in ('on', 'off') then v_now
    when not p_is_production then 'development'
    when exists (select from video_jobs) then 'off'
    else 'on' end;
  update installation set ai_consent = v_new, ai_consent_exempt_until = coalesce(p_exempt_until, ai_consent_exempt_until)
  where (ai_consent, ai_consent_exempt_until) is distinct from (v_new, coalesce(p_exempt_until, ai_consent_exempt_until));
  return consent_rule();
end
$$;
comment on function announce_consent_rule(text, boolean, timestamptz) is 'Decides whether generations need consent (required, off, auto); answers as consent_rule.';
