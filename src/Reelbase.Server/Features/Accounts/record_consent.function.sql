-- The caller agrees to something, or takes it back. Saying the same again changes nothing.
create or replace function record_consent(p_kind text, p_version text, p_granted boolean) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  -- Locked, so that many at once are counted as one after another.
  v_me uuid := (lock_account(require_caller())).id;
begin
  if p_granted then
    insert into user_consents (user_id, kind, version) values (v_me, p_kind, p_version) on conflict (user_id, kind, version) where withdrawn_at is null do nothing;
  else
    -- Taking back means whatever version was agreed to.
    update user_consents set withdrawn_at = clock_timestamp() where user_id = v_me and kind = p_kind and withdrawn_at is null;
  end if;
end
$$;
comment on function record_consent(text, text, boolean) is 'Records or withdraws the caller''s consent. Raises ERR_4005, ERR_4006.';
