-- An approval has been decided: written down in the transaction of what was done. Internal.
create or replace function internal.finish_approval(p_approval admin_approvals, p_admin_id uuid, p_state text, p_answer jsonb) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update admin_approvals set state = p_state, decided_by = p_admin_id, decided_at = clock_timestamp(), answer = p_answer where id = p_approval.id
$$;
comment on function internal.finish_approval(admin_approvals, uuid, text, jsonb) is
  'Writes down how an approval was decided. Internal to the functions that give credits.';
