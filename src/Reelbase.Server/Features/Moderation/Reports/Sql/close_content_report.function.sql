create or replace function close_content_report(p_id bigint) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update content_reports set status = 'closed', closed_at = clock_timestamp() where id = p_id and status = 'open';
  return found;
end
$$;
comment on function close_content_report(bigint) is 'Closes a report; false when there is no open one.';
