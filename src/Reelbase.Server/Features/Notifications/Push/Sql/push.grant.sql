revoke all on push_tokens, push_notifications from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function register_push_token(text, text, text, integer), forget_push_token(text) to authenticated;
grant execute on function claim_push_notifications(text, integer, integer), claim_push_notifications(text, integer, integer, integer),
  finish_push_notification(uuid, text, text, text, double precision, timestamptz, text) to reelbase_worker;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_list_outbox(jsonb) to authenticated;
