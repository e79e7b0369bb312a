-- Writes a batch of errors: an array of {user_id, error_code, endpoint, error_details, trace_id, address, occurrences}. The one place that
-- decides what is kept in a flood: of each code, route and address the first 5 of a minute are rows, and of each code and route the first
-- 100, whatever the address; all others are counted on the newest of these (occurrences), so none is lost without a number.
create or replace function log_errors(p_errors jsonb) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_rows_per_address constant integer := 5;
  c_rows_per_route constant integer := 100;
  v_since timestamptz := clock_timestamp() - interval '1 minute';
  v_salt text := (select id::text from installation);
  v_error record;
  v_key bytea;
  v_kept record;
begin
  -- In one order, so that two nodes that count on the same rows wait for each other and do not deadlock.
  for v_error in
    select u.id as user_id, e.error_code, left(e.endpoint, 200) as endpoint, e.error_details, left(e.trace_id, 64) as trace_id, e.address,
      greatest(coalesce(e.occurrences, 1), 1) as occurrences
    from jsonb_to_recordset(p_errors)
      e (user_id uuid, error_code text, endpoint text, error_details jsonb, trace_id text, address text, occurrences bigint)
    left join users u on u.id = e.user_id
    order by e.error_code, e.endpoint, e.address
  loop
    v_key := sha256(convert_to(concat_ws(chr(31), v_salt, v_error.error_code, coalesce(v_error.endpoint, ''), coalesce(v_error.address, '')), 'UTF8'));
    select count(*) filter (where l.sample_key = v_key) as rows, max(l.id) filter (where l.sample_key = v_key) as id,
      count(*) as route_rows, max(l.id) as route_id into v_kept
    from error_log l where l.created_at > v_since and l.error_code = v_error.error_code and l.endpoint is not distinct from v_error.endpoint
      and l.sample_key is not null;
    if v_kept.rows < c_rows_per_address and v_kept.route_rows < c_rows_per_route then
      insert into error_log (user_id, error_code, endpoint, error_details, trace_id, occurrences, sample_key)
      values (v_error.user_id, v_error.error_code, v_error.endpoint, v_error.error_details, v_error.trace_id, v_error.occurrences, v_key);
    else
      update error_log set occurrences = occurrences + v_error.occurrences where id = coalesce(v_kept.id, v_kept.route_id);
    end if;
  end loop;
end
$$;
comment on function log_errors(jsonb) is
  'Stores a batch of error records, redacted by their writer; in a flood a sample of them, with the number that each row stands for.';
