-- Purchases, newest first, of one environment or both, of everybody or those that somebody has to see to (unowned: nobody is known to own
-- it; waiting: its product is not in products); a page by the time and id of the last one.
create or replace function admin_list_purchases(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_environment text := read_admin_text(p_request, 'environment', 20);
  v_state text := read_admin_text(p_request, 'state', 20);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
  v_before text := read_admin_text(p_request, 'before', 100);
  v_before_at timestamptz;
  v_rows jsonb;
begin
  if v_state is not null and v_state not in ('unowned', 'waiting') then
    perform raise_error('ERR_4000', '{"field":"state","reason":"unknown"}');
  end if;
  if v_before is not null then
    select max(created_at) into v_before_at from purchases where transaction_id = v_before;
  end if;
  if v_state is not null then
    -- Few, and each kind has an index of its own.
    select coalesce(jsonb_agg(describe_purchase(p) order by p.created_at desc, p.transaction_id desc), '[]') into v_rows from (
      select r.* from (
        select * from purchases where v_state = 'unowned' and user_id is null
        union all
        select * from purchases where v_state = 'waiting' and credited_at is null and credits = 0) r
      where (v_environment is null or r.environment = v_environment)
        and (v_before_at is null or (r.created_at, r.transaction_id) < (v_before_at, v_before))
      order by r.created_at desc, r.transaction_id desc limit v_limit) p;
  else
    select coalesce(jsonb_agg(describe_purchase(p) order by p.created_at desc, p.transaction_id desc), '[]') into v_rows from (
      select r.* from (
        select * from purchases where v_before_at is null or (created_at, transaction_id) < (v_before_at, v_before)
        order by created_at desc, transaction_id desc limit case when v_environment is null then v_limit else 20000 end) r
      where v_environment is null or r.environment = v_environment
      order by r.created_at desc, r.transaction_id desc limit v_limit) p;
  end if;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then v_rows -> -1 ->> 'transaction_id' end);
end
$$;
comment on function admin_list_purchases(jsonb) is
  '{"rows":[...],"next_before":transaction id or null}. Raises ERR_4000, ERR_4005, ERR_4006.';
