create or replace function internal.list_dead_work(p_limit integer)
returns table (work text, key text, attempt integer, last_error text, created_at timestamptz, dead_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select * from (
    select 'inbox_messages', d.id::text, d.attempt, d.last_error, d.created_at, d.dead_at from webhook_deliveries d where d.dead_at is not null
    union all select 'push_notifications', n.id::text, n.attempt, n.last_error, n.created_at, n.dead_at from push_notifications n where n.dead_at is not null
    union all select 'apple_authorizations', a.id::text, a.attempt, a.last_error, a.created_at, a.dead_at from apple_authorizations a where a.dead_at is not null
    union all select 'alerts', l.id::text, l.attempt, l.last_error, l.created_at, l.dead_at from alerts l where l.dead_at is not null
    union all select 'storage_objects', o.id::text, o.attempt, o.last_error, o.created_at, o.dead_at from storage_objects o where o.dead_at is not null
    union all select 'purchase_claims', c.user_id || '/' || c.transaction_id, c.attempt, c.last_error, c.created_at, c.dead_at
      from purchase_claims c where c.dead_at is not null) w (work, key, attempt, last_error, created_at, dead_at)
  order by w.dead_at desc limit p_limit
$$;
comment on function internal.list_dead_work(integer) is 'Rows that were given up, newest first. Internal.';
