-- Keeps the youngest band that a declared range allows, and no more of it. What a guardian or a check has said is made older by such a declaration only, so a declaration
-- once it was not the user's own stays so, whatever the user says later.
create or replace function set_age_band(p_lower_bound integer, p_upper_bound integer, p_declaration text) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := (lock_account(require_caller())).id;
  v_band text := case when coalesce(p_lower_bound, 0) < 13 then 'under_13' when p_lower_bound < 16 then '13_15' when p_lower_bound < 18 then '16_17' else '18_plus' end;
  v_old age_bands;
begin
  if coalesce((auth.jwt() ->> 'unverified')::boolean, false) then
    -- Whoever only names a user id says nothing about somebody's age.
    perform raise_error('ERR_4005', '{"reason":"session_required"}');
  elsif p_lower_bound is null and p_upper_bound is null then
    perform raise_error('ERR_4000', '{"field":"lower_bound","reason":"a_bound_is_required"}');
  elsif p_lower_bound not between 0 and 150 then
    perform raise_error('ERR_4000', '{"field":"lower_bound","reason":"0_to_150"}');
  elsif p_upper_bound not between coalesce(p_lower_bound, 0) and 150 then
    perform raise_error('ERR_4000', '{"field":"upper_bound","reason":"lower_bound_to_150"}');
  elsif p_declaration is null or p_declaration not in ('self', 'guardian', 'checked') then
    perform raise_error('ERR_4000', '{"field":"declaration","reason":"self_guardian_or_checked"}');
  end if;
  select * into v_old from age_bands where user_id = v_me;
  if p_declaration = 'self' and v_old.declaration <> 'self' and younger_age_band(v_old.band, v_band) <> v_band then
    perform raise_error('ERR_4012', '{"reason":"older_than_declared"}');
  end if;
  insert into age_bands as b (user_id, band, declaration) values (v_me, v_band, p_declaration)
  on conflict on constraint age_bands_pkey do update set band = excluded.band,
    declaration = case when excluded.declaration = 'self' then b.declaration else excluded.declaration end;
  return jsonb_build_object('success', true, 'band', v_band, 'policy', coalesce((select i.age_policies ->> v_band from installation i), 'allow'),
    'may_generate', apply_age_refusal(v_me));
end
$$;
comment on function set_age_band(integer, integer, text) is
  '{"success":true,"band","policy","may_generate"}; queued jobs of an account that may not any more end. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4012.';
