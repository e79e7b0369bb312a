-- Rows that an earlier release wrote under the device id itself get its hash, one batch at a time; answers how many, 0 when all have it. Rows that somebody
-- holds are passed over. The next release takes this away, with whatever is still left.
create or replace function internal.hash_device_ids(p_limit integer, p_dry_run boolean) returns bigint
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_table text;
  v_more bigint;
  v_count bigint := 0;
begin
  foreach v_table in array array['users', 'device_checks', 'device_grants'] loop
    if p_dry_run then
      execute format('select count(*) from %I where device_id !~ ''^sha256:''', v_table) into v_more;
    else
      execute format('update %1$I t set device_id = stored_device_id(device_id) where t.ctid = any (array(
        select o.ctid from %1$I o where o.device_id !~ ''^sha256:'' %2$s limit $1 for no key update skip locked))', v_table,
        case when v_table <> 'device_grants' then format('and not exists (select from %I h where h.device_id = stored_device_id(o.device_id))', v_table) end)
        using p_limit;
      get diagnostics v_more = row_count;
    end if;
    v_count := v_count + v_more;
  end loop;
  return v_count;
end
$$;
comment on function internal.hash_device_ids(integer, boolean) is 'Brings one batch of device ids of earlier releases to their hash. Internal to clean_up.';
