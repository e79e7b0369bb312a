-- Makes a code and writes that down, for the admin API and the command line (no admin) alike. Whoever calls has made the hash; a code that
-- exists is refused, whatever became of it.
create or replace function create_promo_code(
  p_admin_id uuid, p_reason text, p_code_hash text, p_hint text, p_label text, p_credits integer, p_max_redemptions integer,
  p_starts_at timestamptz, p_ends_at timestamptz)
returns uuid language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid;
begin
  begin
    insert into promo_codes (code_hash, hint, label, credits, max_redemptions, starts_at, ends_at, created_by)
    values (decode(p_code_hash, 'hex'), p_hint, p_label, p_credits, p_max_redemptions, coalesce(p_starts_at, now()), p_ends_at, p_admin_id)
    returning id into v_id;
  exception when unique_violation then
    perform raise_error('ERR_4012', '{"reason":"code_exists"}');
  when check_violation or not_null_violation then
    perform raise_error('ERR_4000', '{"field":"promo_code","reason":"does_not_fit_together"}');
  end;
  perform write_admin_action(p_admin_id, 'promo_code_create', jsonb_build_object('reason', p_reason), null, null, v_id::text, p_credits, jsonb_build_object(
    'label', p_label, 'hint', p_hint, 'max_redemptions', p_max_redemptions, 'starts_at', to_json_time(p_starts_at), 'ends_at', to_json_time(p_ends_at)));
  return v_id;
end
$$;
comment on function create_promo_code(uuid, text, text, text, text, integer, integer, timestamptz, timestamptz) is
  'Makes a promo code from its hash; answers its id. Raises ERR_4000, ERR_4012 (code_exists).';
