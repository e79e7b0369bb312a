-- Everything that is kept about the caller, for a privacy request, with device ids masked, since they are secrets. Each list holds its newest p_max_rows rows; where there are more, next says from where export_user_list goes on.
create or replace function export_user_data(p_max_rows integer) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_result jsonb;
  v_next jsonb := '{}';
  v_list text;
  v_page jsonb;
begin
  select jsonb_build_object('exported_at', to_json_time(clock_timestamp()),
    'profile', with_json_times(to_jsonb(u) - 'is_admin' || '{"device_id":null}', 'language_chosen_at', 'banned_at', 'deleted_at', 'created_at', 'updated_at'),
    'age_band', (select jsonb_build_object('band', a.band, 'declaration', a.declaration) from age_bands a
      where a.user_id = v_me and not coalesce((auth.jwt() ->> 'unverified')::boolean, false)))
  into v_result from users u where u.id = v_me;
  foreach v_list in array array['merged_accounts', 'ledger', 'videos', 'files', 'purchases', 'consents', 'devices', 'device_keys', 'sessions', 'push_tokens', 'errors'] loop
    v_page := export_user_list(v_list, null, p_max_rows);
    v_result := v_result || jsonb_build_object(v_list, v_page -> 'rows');
    if v_page ->> 'next' is not null then
      v_next := v_next || jsonb_build_object(v_list, v_page -> 'next');
    end if;
  end loop;
  return v_result || jsonb_build_object('max_rows_per_list', p_max_rows, 'next', v_next);
end
$$;
comment on function export_user_data(integer) is
  'Everything kept about the caller, each list with its newest p_max_rows rows; next has the lists that were cut. Raises ERR_4005, ERR_4006.';
