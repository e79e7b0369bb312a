-- An account is known by one more of Apple's ids of a download; twenty stay (bound_app_transactions). The user's row is locked by the caller. When that download's guardian has taken
-- their consent back before we knew whose it is, it counts from now.
create or replace function internal.note_app_transaction(p_user_id uuid, p_environment text, p_id text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_key text := p_environment || ':' || p_id;
begin
  if p_user_id is null or p_id is null or char_length(v_key) > 200 then
    return;
  end if;
  update users set app_transactions = bound_app_transactions(array_append(app_transactions, v_key))
  where id = p_user_id and not app_transactions @> array[v_key];
  if found and exists (select from rescinded_consents where app_transaction = v_key) then
    perform apply_rescinded_consent(p_user_id);
  end if;
end
$$;
comment on function internal.note_app_transaction(uuid, text, text) is 'Notes that an account is known by a download of the app. Internal to record_transaction.';
