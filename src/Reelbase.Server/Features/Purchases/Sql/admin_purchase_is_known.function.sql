-- Whether a purchase is on record, before Apple is asked about it.
create or replace function admin_purchase_is_known(p_transaction_id text) returns boolean
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return exists (select from purchases where transaction_id = p_transaction_id);
end
$$;
comment on function admin_purchase_is_known(text) is
  'Whether we have a purchase of this id. Raises ERR_4005, ERR_4006.';
