-- The checks of a new ledger row are one trigger now.
comment on index quota_log_job_idx is 'check_ledger_row and admin_get_job: the rows of a job';
comment on index quota_log_user_seq_key is 'check_ledger_row, get_credit_history: a user''s rows in their order';
