-- Alerts once when use reaches the level, and again only after it was below. p_capacity_bytes null: nothing is known of a capacity.
create or replace function watch_storage_use(p_capacity_bytes bigint, p_alert_percent integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_state storage_alert;
  v_bytes bigint := (select coalesce(sum(bytes), 0) from read_storage_use());
  v_is_above boolean := coalesce(v_bytes >= p_capacity_bytes::numeric * p_alert_percent / 100, false);
begin
  select * into v_state from storage_alert where capacity_bytes is not distinct from p_capacity_bytes and (above_since is not null) = v_is_above;
  if found then
    return false;
  end if;
  -- Of nodes that look at once the first changes the state, and the others find it changed.
  select * into v_state from storage_alert for update;
  update storage_alert set capacity_bytes = p_capacity_bytes,
    above_since = case when v_is_above then coalesce(above_since, clock_timestamp()) end,
    raised = raised + case when v_is_above and above_since is null then 1 else 0 end;
  return v_is_above and v_state.above_since is null and raise_alert('storage_use', 'storage_use:' || v_state.raised + 1,
    format('Files take %s GB, %s %% of the %s GB of Storage:CapacityGigabytes. Make room, shorten Generation:RetentionDays, or raise the capacity.',
      round(v_bytes / 1e9, 1), round(v_bytes * 100.0 / p_capacity_bytes), round(p_capacity_bytes / 1e9, 1)));
end
$$;
comment on function watch_storage_use(bigint, integer) is 'Alerts when the use of storage has reached its level; true when it did just now.';
