-- A picture that replaces another takes its place, also in the quota. Files that are being written count.
create or replace function internal.require_upload_fits(
  p_user_id uuid, p_bucket text, p_folder uuid, p_path text, p_upsert boolean, p_bytes bigint, p_limits jsonb)
returns void language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_replaced uuid := (select u.object_id from uploads u where u.bucket = p_bucket and u.folder = p_folder and u.path = p_path);
  v_files bigint;
  v_bytes numeric;
begin
  if v_replaced is not null and not p_upsert then
    perform raise_error('ERR_4012', '{"reason":"exists"}');
  end if;
  select count(*), coalesce(sum(o.size_bytes), 0) into v_files, v_bytes from storage_objects o
  where o.user_id = p_user_id and o.bucket = 'pictures' and o.state in ('pending', 'stored') and o.id is distinct from v_replaced;
  if v_files + 1 > (p_limits ->> 'max_files')::bigint then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'too_many_files', 'max_files', (p_limits ->> 'max_files')::bigint));
  elsif v_bytes + p_bytes > (p_limits ->> 'max_bytes')::bigint then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'too_many_bytes', 'max_bytes', (p_limits ->> 'max_bytes')::bigint));
  elsif (select i.picture_bytes from installation i) + p_bytes > (p_limits ->> 'max_installation_bytes')::bigint then
    -- Whatever is replaced counts until its file is gone: the disk holds both.
    perform raise_error('ERR_6002', '{"reason":"uploads_full"}');
  end if;
end
$$;
comment on function internal.require_upload_fits(uuid, text, uuid, text, boolean, bigint, jsonb) is
  'Raises ERR_4012 when a name is taken or a quota would be passed, ERR_6002 when the installation''s bound would. Internal to the functions of uploads.';
