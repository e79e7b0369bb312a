-- Few rows at any time: those whose bill has not come.
create index concurrently if not exists job_submissions_bill_idx on job_submissions (bill_after) where bill_after is not null;
