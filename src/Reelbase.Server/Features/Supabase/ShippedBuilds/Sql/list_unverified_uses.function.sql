create or replace function internal.list_unverified_uses() returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce(jsonb_agg(jsonb_build_object('kind', k.kind, 'day', k.day, 'week', k.week, 'last_at', to_json_time(k.last_at)) order by k.kind), '[]')
  from (
    select u.kind, coalesce(sum(u.uses) filter (where u.hour > now() - interval '1 day'), 0) as day,
      coalesce(sum(u.uses) filter (where u.hour > now() - interval '7 days'), 0) as week, max(u.hour) as last_at
    from unverified_uses u group by u.kind) k
$$;
comment on function internal.list_unverified_uses() is 'How the switch for shipped builds was used in the last day and week, by kind. Internal to the admin functions.';
