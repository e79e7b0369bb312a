-- Whether a guardian has taken back that a child uses the app, and none has agreed since.
create or replace function internal.guardian_consent_is_rescinded(p_user_id uuid) returns boolean
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (
    select exists (select from users u join rescinded_consents r on r.app_transaction = any (u.app_transactions)
      where u.id = p_user_id and u.app_transactions <> '{}' and not exists (
        select from user_consents c where c.user_id = u.id and c.kind = 'guardian' and c.withdrawn_at is null and c.granted_at > r.rescinded_at)));
end
$$;
comment on function internal.guardian_consent_is_rescinded(uuid) is 'Whether generation waits for a guardian''s consent. Internal to missing_ai_consent and rescind_consent.';
