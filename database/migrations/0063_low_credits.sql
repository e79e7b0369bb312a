-- A push that is about no job: a charge brought a balance below a threshold. Rows of before fit, so what is checked anew is checked outside of this transaction.
alter table push_notifications alter column job_id drop not null;
alter table push_notifications add column threshold integer;
alter table push_notifications drop constraint push_notifications_event_check;
alter table push_notifications add constraint push_notifications_event_check check (event in ('completed', 'failed', 'low_credits')) not valid;
alter table push_notifications add constraint push_notifications_subject_check check (
  case event when 'low_credits' then job_id is null and threshold is not null and threshold > 0 else job_id is not null and threshold is null end) not valid;
