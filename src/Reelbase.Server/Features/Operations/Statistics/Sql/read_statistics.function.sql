-- What the metrics say about the whole installation, as keep_statistics last measured it for all nodes; measured now where nobody has for a while.
create or replace function read_statistics() returns table (name text, labels jsonb, value double precision)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_kept jsonb;
begin
  select p.kept into v_kept from statistics_progress p
  where p.kept_at > clock_timestamp() - make_interval(secs => greatest(60, 40 * p.kept_seconds));
  if v_kept is not null then
    return query select k.name, k.labels, k.value from jsonb_to_recordset(v_kept) k (name text, labels jsonb, value double precision);
  else
    return query select m.name, m.labels, m.value from measure_statistics() m;
  end if;
end
$$;
comment on function read_statistics() is 'Totals and the present state as name, labels and value, for the metrics; some seconds old.';
