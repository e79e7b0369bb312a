-- After the trigger that keeps the table is there, so that no balance that passes zero meanwhile is missed.
insert into balances_below_zero (user_id) select u.id from users u where u.credits_remaining < 0 on conflict do nothing;
drop index concurrently if exists users_below_zero_idx;
-- Without it the newest part of the ledger is summarised by a vacuum alone, which comes after a fifth of the table is new; until then whoever asks for the last hour reads that fifth.
alter index quota_log_created_at_idx set (autosummarize = on);
