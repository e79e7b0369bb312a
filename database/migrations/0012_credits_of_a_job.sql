-- What a job took from its user and gave back stands in its row, so that PostgreSQL itself refuses to give back more than it took.
-- Columns with constant defaults and constraints that are validated later: short locks only. 0013 fills in the jobs that are there.
alter table video_jobs
  add column credits_charged integer not null default 0,
  add column credits_returned integer not null default 0,
  -- Set by the migration only: the ledger of such a job (imported, or refunded twice by an older release) does not tell the whole story.
  add column is_credits_exempt boolean not null default false,
  -- A retry that support gave: the house pays for it, so nothing is charged and nothing comes back.
  add column paid_by_house boolean not null default false,
  add column retry_of uuid,
  -- Claims in a row that ended without any record: a row that kills its workers has to end some day.
  add column stalled_claims integer not null default 0,
  add constraint video_jobs_credits_check check (credits_returned >= 0 and credits_returned <= credits_charged) not valid,
  add constraint video_jobs_failed_returned_check
    check (status <> 'failed' or credits_returned = credits_charged or is_credits_exempt) not valid,
  add constraint video_jobs_paid_by_house_check check (not paid_by_house or (credits_charged = 0 and credits_used = 0)) not valid,
  add constraint video_jobs_stalled_claims_check check (stalled_claims >= 0) not valid,
  add constraint video_jobs_retry_of_fkey foreign key (retry_of) references video_jobs (job_id) on delete set null not valid;

-- Support may give a job's credits back in parts; what is left bounds it now.
drop index quota_log_one_admin_refund_idx;
