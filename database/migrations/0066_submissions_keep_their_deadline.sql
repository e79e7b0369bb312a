-- A submission without an answer waits shortly where no webhook can come; when its answer comes after all, its job has the time of any other again.
-- Null: submitted by a node of the previous release.
alter table job_submissions add column deadline_at timestamptz;
comment on column job_submissions.deadline_at is 'Until when the job waits for the result of this submission, as planned when it was begun.';
