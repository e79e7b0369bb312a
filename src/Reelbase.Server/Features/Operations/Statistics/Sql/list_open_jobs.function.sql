-- Open jobs of each provider and stage and how old the oldest is: counted now while they are few, and as keep_statistics last measured them when they are many.
create or replace function internal.list_open_jobs() returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  c_few constant integer := 10000;
begin
  if (select count(*) from (select from video_jobs j where j.stage <> 'finished' limit c_few + 1) b) <= c_few then
    return (select coalesce(jsonb_agg(jsonb_build_object('provider', o.provider, 'stage', o.stage, 'jobs', o.jobs, 'oldest_seconds', o.oldest) order by o.provider, o.stage), '[]')
      from (select j.provider, j.stage, count(*) as jobs, extract(epoch from clock_timestamp() - min(j.created_at))::integer as oldest
        from video_jobs j where j.stage <> 'finished' group by j.provider, j.stage) o);
  end if;
  return (select coalesce(jsonb_agg(jsonb_build_object('provider', o.provider, 'stage', o.stage, 'jobs', o.jobs, 'oldest_seconds', o.oldest) order by o.provider, o.stage), '[]')
    from (select s.labels ->> 'provider' as provider, s.labels ->> 'stage' as stage, sum(s.value) filter (where s.name = 'jobs_open')::bigint as jobs,
        (extract(epoch from clock_timestamp()) - min(s.value) filter (where s.name = 'jobs_open_since'))::integer as oldest
      from read_statistics() s where s.name in ('jobs_open', 'jobs_open_since') group by 1, 2) o);
end
$$;
comment on function internal.list_open_jobs() is '[{"provider","stage","jobs","oldest_seconds"}]. Internal to the overview.';
