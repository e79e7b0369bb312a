-- Nobody is an admin by what an older database said: there users could set the flag themselves. Who stays is whom the command line has
-- made (admin create, which leaves a row in admin_actions); everybody else loses flag, credentials and console sessions and is named.
do $$
declare
  v_user record;
begin
  for v_user in
    select u.id from users u where u.is_admin and not exists (
      select from admin_actions a where a.action_type = 'admin_create' and a.target_user_id = u.id and a.admin_user_id is null)
    order by u.id
  loop
    update users set is_admin = false, updated_at = now() where id = v_user.id;
    delete from admin_credentials where user_id = v_user.id;
    update sessions set revoked_at = clock_timestamp() where user_id = v_user.id and method = 'admin' and revoked_at is null;
    insert into reelbase.migration_report (line) values (format(
      'user %s had is_admin, which no "admin create" gave: it was taken away. Somebody who is one gets a row of their own: ./reelbase admin create --email ANOTHER',
      v_user.id));
  end loop;
end
$$;

-- Premium likewise: who brought it along from an older database, and has bought nothing that could have given it, may have set it themselves
-- and is free now. Who has bought something keeps it, as the report said, until Apple's word on the purchase or an admin says more.
do $$
begin
  create temporary table unexplained on commit drop as
  select u.id from users u
  where u.premium_granted_by = 'import' and u.merged_into is null and not exists (
    select from users o join quota_log q on q.user_id = o.id where (o.id = u.id or o.merged_into = u.id) and q.reason = 'iap_purchase' and q.change > 0)
    and not exists (select from users o join purchases p on p.user_id = o.id where o.id = u.id or o.merged_into = u.id);
  update users set premium_granted_by = null, tier = 'free', updated_at = now() where id in (select id from unexplained);
  delete from reelbase.migration_report where line in (
    select format('user %s is premium and nothing says why; the tier stays as it is (an admin may set it)', id) from unexplained);
  insert into reelbase.migration_report (line)
  select format('user %s was premium without ever having bought anything: the tier is free now (an admin may set it)', id) from unexplained order by id;
end
$$;

-- Failed attempts to sign in as an admin, by account and address. The account is a hash of the e-mail, so that one that names nobody is
-- counted alike, and nothing personal stays.
create table admin_sign_in_failures (
  account bytea not null,
  network inet not null,
  failures integer not null constraint admin_sign_in_failures_failures_check check (failures >= 0),
  failed_at timestamptz not null default now(),
  locked_until timestamptz,
  primary key (account, network)
);
create index admin_sign_in_failures_failed_idx on admin_sign_in_failures (failed_at);
alter table admin_sign_in_failures enable row level security;
