-- What an admin may do, and what two of them have to want. Who is an admin already is an operator.
alter table admin_credentials add column role text not null default 'operator'
  constraint admin_credentials_role_check check (role in ('support', 'operator'));

-- Credits that one admin asked to give and another one has to approve. Nothing has moved while a row is pending; what was carried out has its
-- answer here and its rows in admin_actions.
create table admin_approvals (
  id uuid primary key default gen_random_uuid(),
  operation text not null constraint admin_approvals_operation_check check (operation in ('admin-refund-credits', 'admin-adjust-credits')),
  request jsonb not null,
  target_user_id uuid not null constraint admin_approvals_target_user_id_fkey references users (id),
  amount integer not null constraint admin_approvals_amount_check check (amount > 0),
  requested_by uuid not null constraint admin_approvals_requested_by_fkey references users (id),
  state text not null default 'pending' constraint admin_approvals_state_check check (state in ('pending', 'approved', 'declined')),
  decided_by uuid constraint admin_approvals_decided_by_fkey references users (id),
  decided_at timestamptz,
  answer jsonb,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  -- Two people, always.
  constraint admin_approvals_two_check check (state <> 'approved' or decided_by <> requested_by),
  constraint admin_approvals_decided_check check ((state = 'pending') = (decided_at is null) and (state = 'pending') = (decided_by is null))
);
create index admin_approvals_created_idx on admin_approvals (created_at desc, id);
create index admin_approvals_requested_idx on admin_approvals (requested_by) where state = 'pending';
create index admin_approvals_expires_idx on admin_approvals (expires_at);
alter table admin_approvals enable row level security;
