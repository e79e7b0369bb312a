-- Opens a session for the guest whom a device-check has opened a moment ago. No row when they are no guest of their own any more: signed in with Apple, merged
-- or gone in between. A session that was opened for a guest would otherwise be a session of the member.
create or replace function start_guest_session(p_user_id uuid, p_session_id uuid, p_token_hash bytea, p_max_sessions integer)
returns table (user_id uuid, email text, apple_sub text, is_guest boolean, credits_remaining integer,
  created_at timestamptz, updated_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  perform 1 from users u where u.id = p_user_id and u.is_guest and u.merged_into is null and u.deleted_at is null for no key update;
  if found then
    return query select * from start_session(p_user_id, p_session_id, 'anonymous', p_token_hash, p_max_sessions);
  end if;
end
$$;
comment on function start_guest_session(uuid, uuid, bytea, integer) is
  'Opens a session for a guest as start_session does; no row for somebody who is no guest any more.';
