-- Which file a picture is that a generation names as bucket/id/path. p_seen: what moderation was shown; another one since is refused.
create or replace function internal.require_own_picture(p_name text, p_seen uuid) returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_parts text[] := regexp_match(p_name, '^([a-z]+)/(([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/(.+))$');
  v_file record;
begin
  select * into v_file from find_my_file(v_parts[1], v_parts[2], v_parts[3]::uuid, v_parts[4]);
  if v_file.object_id is null or v_file.object_id is distinct from p_seen then
    perform raise_error('ERR_4003', '{"field":"image_url","reason":"not_found"}');
  elsif v_file.content_type not in ('image/jpeg', 'image/png', 'image/webp') then
    perform raise_error('ERR_4003', jsonb_build_object('field', 'image_url', 'reason', 'picture_type', 'type', v_file.content_type,
      'allowed', jsonb_build_array('image/jpeg', 'image/png', 'image/webp')));
  end if;
  return v_file.object_id;
end
$$;
comment on function internal.require_own_picture(text, uuid) is
  'The file of a picture of the caller that a provider can read. Raises ERR_4003 (not_found, picture_type), ERR_4005, ERR_4006. Internal to generate_video.';
