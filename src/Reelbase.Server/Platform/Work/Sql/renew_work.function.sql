create or replace function renew_work(p_work text, p_key text, p_leased_by text, p_lease_seconds integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_count integer;
begin
  execute (select format('update %I set lease_until = clock_timestamp() + make_interval(secs => $3) where %s and leased_by = $2',
      t.table_name, t.key_condition) from work_table(p_work) t)
    using p_key, p_leased_by, p_lease_seconds;
  get diagnostics v_count = row_count;
  return v_count > 0;
end
$$;
comment on function renew_work(text, text, text, integer) is 'Prolongs the lease of a claimed row; false when it is another claim''s by now.';
