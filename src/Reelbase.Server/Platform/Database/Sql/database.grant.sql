-- Searched with the caller's own rights.
grant execute on function fold_text(text) to authenticated;

-- Whatever was granted there by hand, or came with a restore: it holds what nobody but the owner executes. Repeated whenever functions change.
revoke all on schema internal from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
