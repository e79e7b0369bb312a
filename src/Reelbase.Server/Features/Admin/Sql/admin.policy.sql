alter table admin_actions enable row level security;
alter table admin_approvals enable row level security;
alter table admin_credentials enable row level security;
alter table admin_sign_in_failures enable row level security;
alter table admin_passkey_challenges enable row level security;
alter table admin_passkeys enable row level security;
alter table nodes enable row level security;

drop policy if exists admin_actions_admins_read on admin_actions;
create policy admin_actions_admins_read on admin_actions for select to authenticated using (is_admin());
