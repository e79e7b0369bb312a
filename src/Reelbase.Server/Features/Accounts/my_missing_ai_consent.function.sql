-- For the endpoint, before a service outside is shown anything; what decides is asked again inside generate_video.
create or replace function my_missing_ai_consent() returns jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select missing_ai_consent(my_user_id(), null, false)
$$;
comment on function my_missing_ai_consent() is 'What the caller has yet to agree to before prompts go to AI providers; null when nothing.';
