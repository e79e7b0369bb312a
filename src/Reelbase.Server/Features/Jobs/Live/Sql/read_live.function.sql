-- What has to be read for the watchers of a node, for many users in one call: each as that user, so that row security decides. Claims and role end with the
-- transaction. A row of kind job or user is what the caller sees; status is the answer of get_job_status; ended names a session that is over, or all with null.
create or replace function read_live(p_asks jsonb)
returns table (ask integer, kind text, id uuid, version bigint, record jsonb)
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_ask jsonb;
  v_number integer;
  v_claims jsonb;
  v_sessions uuid[];
  v_ended uuid[];
  v_reason text;
  v_jobs uuid[];
begin
  -- Before any record is read: a version may be older than its record, never newer.
  return query select v.ask, v.kind, v.id, v.version, null::jsonb from list_live_versions(p_asks) v;
  for v_ask in select a.value from jsonb_array_elements(p_asks) a loop
    v_number := (v_ask ->> 'number')::integer;
    v_claims := (v_ask ->> 'claims')::jsonb;
    v_sessions := array(select s.value::uuid from jsonb_array_elements_text(v_ask -> 'sessions') s);
    perform set_config('request.jwt.claims', v_claims::text, true), set_config('role', 'authenticated', true);
    select e.sessions, e.reason into v_ended, v_reason from find_ended_sessions(v_sessions) e;
    if v_reason is not null then
      return query select v_number, 'ended', null::uuid, null::bigint, jsonb_build_object('reason', v_reason);
      continue;
    end if;
    return query select v_number, 'ended', s.id, null::bigint, '{"reason":"session_ended"}'::jsonb from unnest(v_ended) s(id);
    if not coalesce((v_claims ->> 'unverified')::boolean, false) then
      v_sessions := array(select s.id from unnest(v_sessions) s(id) except select unnest(v_ended));
      if cardinality(v_sessions) = 0 then
        continue;
      end if;
      perform set_config('request.jwt.claims', (v_claims || jsonb_build_object('session_id', v_sessions[1]))::text, true);
    end if;
    v_jobs := array(select j.value::uuid from jsonb_array_elements_text(v_ask -> 'jobs') j);
    if (v_ask ->> 'newest')::integer > 0 then
      v_jobs := v_jobs || array(
        select j.job_id from video_jobs j where j.user_id = my_user_id() order by j.created_at desc limit (v_ask ->> 'newest')::integer);
    end if;
    if cardinality(v_jobs) > 0 then
      return query
      select v_number, 'job', j.job_id, null::bigint, jsonb_build_object('job_id', j.job_id, 'user_id', j.user_id, 'model_id', j.model_id, 'theme_id', j.theme_id,
        'model_name', j.model_name, 'prompt', j.prompt, 'settings', j.settings, 'image_url', j.image_url, 'status', j.status, 'video_url', j.video_url,
        'thumbnail_url', j.thumbnail_url, 'credits_used', j.credits_used, 'error_code', j.error_code, 'created_at', to_json_time(j.created_at),
        'completed_at', to_json_time(j.completed_at), 'deleted_at', to_json_time(j.deleted_at), 'video_duration_seconds', j.video_duration_seconds,
        'video_width', j.video_width, 'video_height', j.video_height, 'video_fps', j.video_fps, 'video_has_audio', j.video_has_audio)
      from video_jobs j where j.job_id = any (v_jobs);
      return query
      select v_number, 'status', j.job_id, null::bigint, to_jsonb(s)
      from video_jobs j cross join lateral get_job_status(j.job_id) s
      where j.job_id = any (array(select t.value::uuid from jsonb_array_elements_text(v_ask -> 'statuses') t));
    end if;
    if (v_ask ->> 'profile')::boolean then
      return query
      select v_number, 'user', u.id, null::bigint, jsonb_build_object('id', u.id, 'email', u.email, 'apple_sub', u.apple_sub, 'is_guest', u.is_guest, 'tier', u.tier,
        'credits_remaining', u.credits_remaining, 'credits_total', u.credits_total, 'initial_grant_claimed', u.initial_grant_claimed, 'language', u.language,
        'language_chosen_at', to_json_time(u.language_chosen_at), 'theme_preference', u.theme_preference, 'banned_at', to_json_time(u.banned_at),
        'created_at', to_json_time(u.created_at), 'updated_at', to_json_time(u.updated_at))
      from users u where u.id = my_user_id();
    end if;
  end loop;
end
$$;
comment on function read_live(jsonb) is 'Rows for the live hub, each read as the user who watches it; says which sessions are over.';
