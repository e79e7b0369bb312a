-- A purchase that nobody has notified us of, as Apple answered when support asked; its buyer gets it when it names one.
create or replace function admin_record_purchase(p_transaction jsonb, p_policy jsonb) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  perform record_transaction(null, p_transaction, 'support', p_policy);
end
$$;
comment on function admin_record_purchase(jsonb, jsonb) is
  'Records a verified purchase as support found it at Apple. Raises ERR_4005, ERR_4006.';
