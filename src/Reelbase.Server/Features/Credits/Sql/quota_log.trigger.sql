-- The ledger is append-only without exception, for the owner too.
create or replace function internal.refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'quota_log is append-only: % is refused', tg_op using errcode = 'RB002';
end
$$;
comment on function internal.refuse_ledger_change() is 'Trigger: refuses every update, delete and truncate of an append-only table.';
drop trigger if exists quota_log_append_only on quota_log;
create trigger quota_log_append_only before update or delete on quota_log
  for each row execute function internal.refuse_ledger_change();
drop trigger if exists quota_log_no_truncate on quota_log;
create trigger quota_log_no_truncate before truncate on quota_log
  for each statement execute function internal.refuse_ledger_change();

-- What a new row has to fit, found in one statement, since each charge pays for it. It continues the row before it, so the sum of the changes is the last balance.
-- The last row's balance is the user's: at the end of the statement that wrote it, and at commit by users_balance_matches_ledger, should the balance change later.
-- And a row that names a job moves what that job took and gave back, whoever wrote it; the job's CHECKs judge it. Not a definer function: no role may write the
-- table, so it always runs with its owner's rights, and each change of rights and search path costs.
create or replace function internal.check_ledger_row() returns trigger language plpgsql as $$
declare
  v_before integer;
  v_balance integer;
  v_charged integer;
  v_returned integer;
  v_is_only_row boolean;
begin
  select (select p.balance_after from public.quota_log p where p.user_id = new.user_id and p.seq < new.seq order by p.seq desc limit 1),
    u.credits_remaining, j.credits_charged, j.credits_returned,
    not exists (select from public.quota_log o where o.job_id = new.job_id and o.id <> new.id)
  into v_before, v_balance, v_charged, v_returned, v_is_only_row
  from public.users u left join public.video_jobs j on j.job_id = new.job_id where u.id = new.user_id;
  if new.balance_after <> coalesce(v_before, 0) + new.change then
    raise exception 'user %: ledger row % says % where % follows', new.user_id, new.seq, new.balance_after,
      coalesce(v_before, 0) + new.change using errcode = 'RB003';
  end if;
  -- Of many rows that one statement wrote, the last has the balance. An import corrects the balance with a row of its own: the commit judges its rows.
  if v_balance <> new.balance_after and new.imported_at is null then
    if not exists (select from public.quota_log l where l.user_id = new.user_id and l.seq > new.seq) then
      raise exception 'user %: the balance % does not match the ledger''s %', new.user_id, v_balance, new.balance_after using errcode = 'RB003';
    end if;
    -- Rows that sum to zero change no balance, so nothing has locked the user yet; this does, and asks for the check at commit.
    update public.users set credits_remaining = credits_remaining where id = new.user_id;
  end if;
  -- A press puts its job and its charge down with the same figure: then there is nothing to move.
  if new.job_id is not null and (v_is_only_row and v_charged = -new.change and v_returned = 0) is not true then
    perform internal.refresh_job_credits(new.job_id);
  end if;
  return null;
end
$$;
comment on function internal.check_ledger_row() is
  'Trigger: a new ledger row''s balance is the one before plus its change, and its user''s; a row of a job moves the job''s credits_charged and credits_returned with it.';
drop trigger if exists quota_log_chain on quota_log;
drop trigger if exists quota_log_moves_job on quota_log;
drop function if exists check_ledger_chain();
drop function if exists move_job_credits();
drop trigger if exists quota_log_row on quota_log;
create trigger quota_log_row after insert on quota_log for each row execute function internal.check_ledger_row();

-- Checked at commit, whoever wrote: a balance always equals the last line of its ledger. Every change of a balance asks for it, and an imported row;
-- any other row was compared with the balance when it was written.
create or replace function internal.check_balance_matches_ledger() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user_id uuid;
  v_balance integer;
  v_ledger integer;
begin
  if tg_table_name = 'users' then
    v_user_id := new.id;
  else
    v_user_id := new.user_id;
  end if;
  select u.credits_remaining, (select q.balance_after from quota_log q where q.user_id = u.id order by q.seq desc limit 1)
  into v_balance, v_ledger from users u where u.id = v_user_id;
  if not found then
    return null;
  end if;
  if v_balance <> coalesce(v_ledger, 0) then
    raise exception 'user %: the balance % does not match the ledger''s %', v_user_id, v_balance, coalesce(v_ledger, 0)
      using errcode = 'RB003';
  end if;
  return null;
end
$$;
comment on function internal.check_balance_matches_ledger() is 'Constraint trigger: at commit a balance equals its last ledger row.';
drop trigger if exists users_balance_matches_ledger on users;
create constraint trigger users_balance_matches_ledger after insert or update of credits_remaining on users
  deferrable initially deferred for each row execute function internal.check_balance_matches_ledger();
drop trigger if exists quota_log_matches_balance on quota_log;
create constraint trigger quota_log_matches_balance after insert on quota_log
  deferrable initially deferred for each row when (new.imported_at is not null) execute function internal.check_balance_matches_ledger();
