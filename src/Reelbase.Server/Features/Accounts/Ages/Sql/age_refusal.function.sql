-- Why an account may make no videos at the age that was declared for it; null when it may, or when nothing was declared. The band itself is not in it.
create or replace function internal.age_refusal(p_user_id uuid) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_policy text := (select i.age_policies ->> b.band from age_bands b, installation i where b.user_id = p_user_id);
begin
  if v_policy = 'block' then
    return '{"policy":"block"}';
  elsif v_policy = 'guardian' and not exists (select from user_consents c where c.user_id = p_user_id and c.kind = 'guardian' and c.withdrawn_at is null) then
    return '{"policy":"guardian","kind":"guardian"}';
  end if;
  return null;
end
$$;
comment on function internal.age_refusal(uuid) is '{"policy":block|guardian,...} when an account may make no videos at its declared age, else null. Internal to the functions that accept and to set_age_band.';
