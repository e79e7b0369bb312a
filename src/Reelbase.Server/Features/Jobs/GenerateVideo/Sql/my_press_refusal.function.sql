-- For the endpoint, before a service outside is shown anything: {"code","details"} as generate_video takes a refusal; what decides is asked again inside it.
create or replace function my_press_refusal() returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := my_user_id();
  v_details jsonb := age_refusal(v_me);
  v_code text := 'ERR_4014';
begin
  if v_details is null then
    v_code := 'ERR_4013';
    v_details := missing_ai_consent(v_me, null, false);
  end if;
  return case when v_details is not null then jsonb_build_object('code', v_code, 'details', v_details) end;
end
$$;
comment on function my_press_refusal() is '{"code","details"} of what the caller''s age or consent refuses, before prompts go anywhere; null when nothing.';
