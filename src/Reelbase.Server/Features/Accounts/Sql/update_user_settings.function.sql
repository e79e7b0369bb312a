-- Changes the two things a user may change about themself; null leaves a value as it is.
create or replace function update_user_settings(p_language text, p_theme_preference text) returns void
language plpgsql as $$
declare
  v_me uuid := require_caller();
begin
  if p_language is not null then
    update users set language = p_language where id = v_me;
  end if;
  if p_theme_preference is not null then
    update users set theme_preference = p_theme_preference where id = v_me;
  end if;
end
$$;
comment on function update_user_settings(text, text) is
  'Sets language (en, tr, es) and theme_preference (system, light, dark); null keeps. Raises ERR_4005, ERR_4006.';
