-- p_what: disk (of the machine p_where, before a file is written), disk_full (in the middle of one) or uploads (of the whole installation). One alert a day for each.
create or replace function report_storage_shortage(p_what text, p_where text, p_megabytes bigint, p_bound_megabytes bigint) returns boolean
language sql security definer set search_path = internal, public, pg_temp as $$
  select raise_alert('storage_space', concat_ws(':', p_what, p_where, (clock_timestamp() at time zone 'UTC')::date),
    case p_what
      when 'disk' then format('The disk of %s has %s MB free and needs %s (Storage:MinFreeDiskMegabytes): uploads are refused and finished videos are fetched later. Make room, or move Server:DataDirectory to a larger disk.',
        p_where, p_megabytes, p_bound_megabytes)
      when 'disk_full' then format('The disk of %s, or our quota on it, was full while a file was written (%s MB are called free): nothing of it was kept; uploads are refused and finished videos are fetched later. '
        'Make room, raise the quota, or move Server:DataDirectory to a larger disk.', p_where, p_megabytes)
      else format('The pictures of all users take %s of %s MB (Uploads:InstallationMegabytes); beyond it uploads are refused.',
        coalesce(p_megabytes, (select i.picture_bytes / 1048576 from installation i)), p_bound_megabytes)
    end)
$$;
comment on function report_storage_shortage(text, text, bigint, bigint) is 'Alerts the operator that the disk or the place for pictures is short; true when it is new today.';
