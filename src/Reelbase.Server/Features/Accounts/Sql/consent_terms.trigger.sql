-- Somebody may have agreed to it: a text is published once and then stays as it is.
create or replace function internal.keep_consent_terms() returns trigger
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  raise exception 'terms are published once; publish another version' using errcode = 'restrict_violation';
end
$$;
comment on function internal.keep_consent_terms() is 'Trigger: refuses to change or remove published terms.';
drop trigger if exists consent_terms_keep on consent_terms;
create trigger consent_terms_keep before update or delete on consent_terms for each row execute function internal.keep_consent_terms();
