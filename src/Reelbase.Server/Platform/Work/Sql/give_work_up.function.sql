create or replace function give_work_up(p_work text, p_key text, p_leased_by text, p_reason text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_count integer;
begin
  execute (select format('update %I set last_error = left($3, 200) where %s and leased_by = $2', t.table_name, t.key_condition) from work_table(p_work) t)
    using p_key, p_leased_by, p_reason;
  get diagnostics v_count = row_count;
  if v_count > 0 then
    perform end_spent_work(p_work, array[p_key], 0);
  end if;
end
$$;
comment on function give_work_up(text, text, text, text) is 'Gives a claimed row up: it stays, dead, and the operator is alerted. Nothing when it is another claim''s by now.';
