create or replace function internal.describe_storage_use() returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('bytes', coalesce(sum(u.bytes), 0), 'objects', coalesce(sum(u.objects), 0),
    'capacity_bytes', (select s.capacity_bytes from storage_alert s), 'above_since', (select to_json_time(s.above_since) from storage_alert s),
    'kinds', coalesce(jsonb_agg(jsonb_build_object('kind', u.bucket, 'bytes', u.bytes, 'objects', u.objects) order by u.bucket), '[]'))
  from read_storage_use() u
$$;
comment on function internal.describe_storage_use() is 'Bytes and files in all and by kind, the capacity when one is configured, and since when the alert''s level is passed. Internal to the admin functions.';
