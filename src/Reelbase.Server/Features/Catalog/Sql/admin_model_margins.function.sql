-- What each model brought and cost in a range of days, by the bills that came: a sum of a row a day and model, never of jobs. p_rules: {"credit_micros": what a credit
-- brings}. Credits are those that stayed charged when the bill came; a later refund by support is in the ledger and not here.
create or replace function admin_model_margins(p_key uuid, p_request jsonb, p_rules jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_days integer := read_admin_integer(p_request, 'days', 1, 366, 30);
  v_credit_micros bigint := (p_rules ->> 'credit_micros')::bigint;
begin
  return jsonb_build_object('credit_micros', v_credit_micros, 'rows', (
    select coalesce(jsonb_agg(jsonb_build_object('provider', m.provider, 'model_name', m.model_name, 'jobs', m.billed, 'credits', m.credits,
        'billed_micros', m.billed_micros, 'expected_micros', m.expected_micros, 'brought_micros', m.credits * v_credit_micros,
        'margin_micros', m.credits * v_credit_micros - m.billed_micros,
        'margin_percent', case when m.credits > 0 then round(100 - m.billed_micros * 100.0 / (m.credits * v_credit_micros), 1)::text end)
      order by m.credits * v_credit_micros - m.billed_micros, m.model_name), '[]')
    from (select t.provider, t.model_name, sum(t.billed) as billed, sum(t.credits) as credits, sum(t.billed_micros) as billed_micros,
        sum(t.expected_micros) as expected_micros
      from model_margins t where t.day > (now() at time zone 'UTC')::date - v_days
      group by 1, 2 order by sum(t.billed) desc limit 500) m));
end
$$;
comment on function admin_model_margins(uuid, jsonb, jsonb) is
  '{"credit_micros":..., "rows":[...]}, the smallest margin first. Raises ERR_4000, ERR_4005, ERR_4006.';
