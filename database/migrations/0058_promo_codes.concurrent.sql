alter table quota_log validate constraint quota_log_reason_check;
alter table quota_log validate constraint quota_log_promo_check;
