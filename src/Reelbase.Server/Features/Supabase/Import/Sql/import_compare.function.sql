-- Compares what the source has of each user (staged as rows of the kind compare) with what was carried over: ledger rows are those that an import wrote, so that a
-- server that has run since changes no sum. The correction counts for the balance and not as a row of the log.
create or replace function internal.import_compare() returns table (what text, source numeric, target numeric, differ bigint, example text)
language plpgsql set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with there as (
    select import_uuid(r.o ->> 'id') as id, c.what, c.place, coalesce((r.o ->> c.what)::numeric, 0) as amount
    from import_rows r
    cross join (values (1, 'users'), (2, 'balances, credits'), (3, 'jobs'), (4, 'ledger rows'), (5, 'ledger, credits'), (6, 'refresh tokens'), (7, 'consents')) c (place, what)
    where r.kind = 'compare'),
  ledger as (
    select q.user_id, count(*) filter (where reason <> 'migration_correction') as n, coalesce(sum(q.change::bigint) filter (where reason <> 'migration_correction'), 0) as total,
      sum(q.change::bigint) as balance
    from quota_log q where q.imported_at is not null group by q.user_id),
  -- What was made here after the rows had come is not of the source.
  ended as (select coalesce(max(i.rows_finished_at), 'infinity') as at from imports i),
  jobs as (select j.user_id, count(*) as n from video_jobs j, ended e where j.created_at <= e.at group by j.user_id),
  tokens as (select t.user_id, count(*) as n from former_refresh_tokens t group by t.user_id),
  consents as (select c.user_id, count(*) as n from user_consents c, ended e where c.granted_at <= e.at group by c.user_id),
  here as (
    select u.id, c.what, c.amount
    from users u left join ledger l on l.user_id = u.id left join jobs j on j.user_id = u.id left join tokens t on t.user_id = u.id left join consents s on s.user_id = u.id
    cross join lateral (values ('users', 1::numeric), ('balances, credits', l.balance), ('jobs', j.n), ('ledger rows', l.n), ('ledger, credits', l.total),
      ('refresh tokens', t.n), ('consents', s.n)) c (what, amount))
  select t.what, sum(t.amount), sum(coalesce(h.amount, 0)), count(*) filter (where t.amount <> coalesce(h.amount, 0)),
    (array_agg(format('user %s: %s there and %s here', t.id, t.amount, coalesce(h.amount, 0)) order by t.id) filter (where t.amount <> coalesce(h.amount, 0)))[1]
  from there t left join here h on h.id = t.id and h.what = t.what
  group by t.what, t.place order by t.place;
end
$$;
comment on function internal.import_compare() is 'Compares the staged figures of the source with what was carried over. For the import, which runs as the owner.';
