alter table ledger_hours enable row level security;
alter table job_hours enable row level security;
alter table theme_hours enable row level security;
alter table statistics_progress enable row level security;
alter table model_margins enable row level security;
alter table ledger_totals enable row level security;
alter table job_totals enable row level security;
