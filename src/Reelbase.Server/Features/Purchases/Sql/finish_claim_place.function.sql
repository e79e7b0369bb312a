-- Asks for no session: the end of one must not turn the answer of a claim that is done into an error.
create or replace function finish_claim_place(p_place_id bigint, p_failed boolean) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update rate_limit_log set action = 'purchase_failed', created_at = clock_timestamp()
  where p_failed and id = p_place_id and user_id = any (my_user_ids()) and action = 'purchase_claim';
  delete from rate_limit_log
  where not p_failed and id = p_place_id and user_id = any (my_user_ids()) and action = 'purchase_claim';
$$;
comment on function finish_claim_place(bigint, boolean) is
  'Ends a purchase claim: a failed one keeps its place for the window, any other gives it back.';
