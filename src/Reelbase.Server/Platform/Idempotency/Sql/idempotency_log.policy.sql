-- Nobody but definer functions reads or writes it.
alter table idempotency_log enable row level security;
