-- A submission that made a video has a bill: it is asked for when nobody has said it meanwhile.
create or replace function internal.await_bill() returns trigger language plpgsql set search_path = internal, public, pg_temp as $$
begin
  new.bill_after := clock_timestamp() + interval '5 seconds';
  return new;
end
$$;
comment on function internal.await_bill() is 'Lets the bill of a submission with a video be asked for. For a trigger.';
drop trigger if exists job_submissions_await_bill on job_submissions;
create trigger job_submissions_await_bill before update of outcome on job_submissions
  for each row when (new.outcome in ('succeeded', 'late_success') and old.outcome not in ('succeeded', 'late_success') and new.billed_micros is null)
  execute function internal.await_bill();
