-- The work of a row failed in a way that its own functions do not know. Its claim has counted the attempt and moved run_after on, so
-- it is claimed again in its time and not at once.
create or replace function give_work_back(p_work text, p_key text, p_leased_by text, p_reason text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  execute (select format('update %I set leased_by = null, lease_until = null, last_error = left($3, 200) where %s and leased_by = $2',
      t.table_name, t.key_condition) from work_table(p_work) t)
    using p_key, p_leased_by, p_reason;
end
$$;
comment on function give_work_back(text, text, text, text) is 'Ends a claim without a result and keeps the reason.';
