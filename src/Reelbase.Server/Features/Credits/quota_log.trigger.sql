-- The ledger is append-only without exception, for the owner too.
create or replace function refuse_ledger_change() returns trigger language plpgsql as $$
begin
  raise exception 'quota_log is append-only: % is refused', tg_op using errcode = 'RB002';
end
$$;
comment on function refuse_ledger_change() is 'Trigger: refuses every update, delete and truncate of an append-only table.';
drop trigger if exists quota_log_append_only on quota_log;
create trigger quota_log_append_only before update or delete on quota_log
  for each row execute function refuse_ledger_change();
drop trigger if exists quota_log_no_truncate on quota_log;
create trigger quota_log_no_truncate before truncate on quota_log
  for each statement execute function refuse_ledger_change();

-- Each row continues the one before it, so the sum of the changes is the last balance.
create or replace function check_ledger_chain() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_before integer;
begin
  select balance_after into v_before from quota_log where user_id = new.user_id and seq < new.seq order by seq desc limit 1;
  if new.balance_after <> coalesce(v_before, 0) + new.change then
    raise exception 'user %: ledger row % says % where % follows', new.user_id, new.seq, new.balance_after,
      coalesce(v_before, 0) + new.change using errcode = 'RB003';
  end if;
  return null;
end
$$;
comment on function check_ledger_chain() is 'Trigger: a new ledger row''s balance is the one before plus its change.';
drop trigger if exists quota_log_chain on quota_log;
create trigger quota_log_chain after insert on quota_log for each row execute function check_ledger_chain();

-- A row that names a job moves what that job took and gave back, in the same statement, whoever wrote it; the job's CHECKs judge it.
create or replace function move_job_credits() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_is_right boolean;
begin
  -- A press puts its job and its charge down with the same figure: then there is nothing to move.
  select q.charged > 0 and j.credits_charged = q.charged and j.credits_returned = q.returned into v_is_right
  from video_jobs j, lateral (
    select coalesce(sum(-l.change) filter (where l.change < 0), 0) as charged, coalesce(sum(l.change) filter (where l.change > 0), 0) as returned
    from quota_log l where l.job_id = j.job_id) q
  where j.job_id = new.job_id;
  if v_is_right is not true then
    perform refresh_job_credits(new.job_id);
  end if;
  return null;
end
$$;
comment on function move_job_credits() is 'Trigger: a ledger row of a job moves the job''s credits_charged and credits_returned with it.';
drop trigger if exists quota_log_moves_job on quota_log;
create trigger quota_log_moves_job after insert on quota_log for each row when (new.job_id is not null)
  execute function move_job_credits();

-- Checked at commit, whoever wrote and whichever of the two tables: a balance always equals the last line of its ledger.
create or replace function check_balance_matches_ledger() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
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
comment on function check_balance_matches_ledger() is 'Constraint trigger: at commit a balance equals its last ledger row.';
drop trigger if exists users_balance_matches_ledger on users;
create constraint trigger users_balance_matches_ledger after insert or update of credits_remaining on users
  deferrable initially deferred for each row execute function check_balance_matches_ledger();
drop trigger if exists quota_log_matches_balance on quota_log;
create constraint trigger quota_log_matches_balance after insert on quota_log
  deferrable initially deferred for each row execute function check_balance_matches_ledger();
