-- A user reports a purchase of theirs that was verified. Answers what came of it instead of raising, because what was
-- learned about the purchase (and an alert, should there be one) stays, whether it gives credits or not.
create or replace function claim_purchase(p_transaction jsonb, p_policy jsonb)
returns table (outcome text, reason text, credits_added integer, credits_remaining integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_result jsonb := record_transaction(require_caller(), p_transaction, 'app', p_policy);
begin
  return query select v_result ->> 'outcome', v_result ->> 'reason', (v_result ->> 'credits_added')::integer, u.credits_remaining
  from users u where u.id = account_of(auth.uid());
end
$$;
comment on function claim_purchase(jsonb, jsonb) is
  'Credits the caller''s verified purchase once; answers outcome as record_transaction and the balance. Raises ERR_4005, ERR_4006.';
