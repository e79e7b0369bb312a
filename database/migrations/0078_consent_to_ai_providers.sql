-- Whether generations need consent; null: no start has decided yet. Where jobs were accepted before anybody could be asked it stays off until somebody switches it on.
alter table installation add column ai_consent text constraint installation_ai_consent_check check (ai_consent in ('on', 'off', 'development')),
  add column ai_consent_exempt_until timestamptz constraint installation_ai_consent_exempt_until_check check (isfinite(ai_consent_exempt_until));
update installation set ai_consent = 'off' where exists (select from video_jobs);
-- Whom the text named when somebody agreed; null: nobody wrote it down, and the version alone counts.
alter table user_consents add column recipients text[];
-- Whose model it is, where its provider passes prompts on and its id does not tell.
alter table models add column vendor text constraint models_vendor_check check (char_length(vendor) between 1 and 100);
