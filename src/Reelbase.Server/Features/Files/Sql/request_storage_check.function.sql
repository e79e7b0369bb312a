-- Asks for a comparison of the store with its rows, from the command line only; the audit row names nobody as its admin. p_force: also when the
-- store does not carry our id, or when more is missing than the brake allows.
create or replace function request_storage_check(p_force boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform request_schedule('storage_check', jsonb_build_object('force', p_force));
  insert into admin_actions (action_type, reason, details) values ('storage_check', 'from the command line', jsonb_build_object('force', p_force));
end
$$;
comment on function request_storage_check(boolean) is 'Lets a worker compare the store with its rows now; forced: whatever is missing.';
