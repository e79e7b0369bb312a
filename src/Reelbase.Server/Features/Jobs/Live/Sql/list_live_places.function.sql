-- The places of waiting jobs that somebody watches.
create or replace function list_live_places(p_jobs uuid[]) returns table (job_id uuid, place integer)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query select p.job_id, p.place from (select w.job_id, queue_position(w.job_id) as place from unnest(p_jobs) w (job_id)) p where p.place is not null;
end
$$;
comment on function list_live_places(uuid[]) is 'Waiting jobs ahead of each of these (0 is next); none for a job that does not wait.';
