-- What became of each theme, by hour: jobs and the ledger's credits. The id stays when a theme goes, so that sums do not change.
create table theme_hours (
  hour timestamptz not null constraint theme_hours_hour_check check (isfinite(hour)),
  theme_id uuid not null,
  accepted bigint not null default 0,
  completed bigint not null default 0,
  failed bigint not null default 0,
  credits_charged bigint not null default 0,
  credits_returned bigint not null default 0,
  constraint theme_hours_pkey primary key (hour, theme_id)
);
alter table theme_hours enable row level security;
-- The past is counted once more, a month at each look, now with its themes.
delete from statistics_progress;
