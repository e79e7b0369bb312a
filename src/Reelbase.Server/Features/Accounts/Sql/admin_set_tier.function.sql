-- Premium by the hand of an admin, and back. What a purchase gives is not an admin's to take: the answer says what the tier is now.
create or replace function admin_set_tier(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
  v_tier text := read_admin_text(p_request, 'tier', 20, true);
  v_now text;
begin
  if v_tier not in ('free', 'premium') then
    perform raise_error('ERR_4000', '{"field":"tier","reason":"unknown"}');
  end if;
  perform write_admin_action(v_admin, 'user_tier', p_request, v_user.id, null, null, null, jsonb_build_object('from', v_user.tier, 'to', v_tier));
  update users set premium_granted_by = case when v_tier = 'premium' then 'admin' end, updated_at = now() where id = v_user.id
  returning tier into v_now;
  return jsonb_build_object('success', true, 'tier', v_now);
end
$$;
comment on function admin_set_tier(jsonb) is
  '{"success":true,"tier":"free"|"premium"}: premium stays while a purchase gives it. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
