alter table job_submissions validate constraint job_submissions_billed_units_check;
alter table job_submissions validate constraint job_submissions_billed_micros_check;
-- Few rows at any time: those whose bill has not come.
create index concurrently if not exists job_submissions_bill_idx on job_submissions (bill_after) where bill_after is not null;
