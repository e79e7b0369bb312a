-- A guest without credits for a known device whose token Apple has not accepted: it could not be heard, or was asked too often. They are merged into the
-- device's guest when it accepts a token of that id. p_keep_token: the token is kept and asked about until it is stale; only a question that was counted
-- may be repeated like that. An id has at most a handful of them, since no limit may refuse a known device: those that nobody asks about go first. Whoever goes
-- and has done nothing leaves no row behind; the others stay guests and are merged no more. Who is a moment old and has no session is being opened by a call
-- right now, and stays.
create or replace function internal.open_temporary_guest(p_device_hash text, p_device_token text, p_keep_token boolean) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_max_for_device constant integer := 20;
  c_opening constant interval := interval '1 minute';
  v_token_hash bytea := sha256(convert_to(p_device_token, 'UTF8'));
  v_id uuid;
  v_gone uuid;
begin
  insert into users (is_guest) values (true) returning id into v_id;
  insert into temporary_guests (user_id, device_hash, token_hash, device_token)
  values (v_id, p_device_hash, v_token_hash, case when p_keep_token then p_device_token end);
  for v_gone in
    delete from temporary_guests where user_id in (
      select t.user_id from temporary_guests t where t.device_hash = p_device_hash
      order by t.device_token is not null desc, t.created_at desc offset c_max_for_device)
      and (created_at < clock_timestamp() - c_opening or exists (select from sessions s where s.user_id = temporary_guests.user_id)) returning user_id
  loop
    -- Whoever is being worked for is passed over: their row comes before the known guest's everywhere else.
    perform 1 from users u where u.id = v_gone and u.is_guest and u.merged_into is null and u.deleted_at is null for update skip locked;
    if found and not exists (select from quota_log q where q.user_id = v_gone) and not exists (select from video_jobs j where j.user_id = v_gone)
      and not exists (select from storage_objects o where o.user_id = v_gone) and not exists (select from purchases p where p.user_id = v_gone)
      and not exists (select from content_reports r where r.user_id = v_gone) then
      delete from sessions where user_id = v_gone;
      perform delete_unused_guest(v_gone);
    end if;
  end loop;
  return v_id;
end
$$;
comment on function internal.open_temporary_guest(text, text, boolean) is
  'Makes a guest who waits to be merged into a known device''s guest. Internal to the device functions.';
