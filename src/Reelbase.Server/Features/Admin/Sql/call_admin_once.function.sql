-- A change by an admin under a key: a model that is made by an impatient second press is made once. Credits, retries and approvals have their keys
-- inside, as they take more than a request; this is for every other change.
create or replace function call_admin_once(p_key uuid, p_operation text, p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  -- The bound that the server adds to a new promo code is a setting: a repetition after it was changed is the same request.
  v_hash bytea := hash_request(p_operation, convert_to((p_request - 'credit_limit')::text, 'UTF8'));
  v_function regprocedure := to_regprocedure(format('public.%I(jsonb)', replace(p_operation, '-', '_')));
  v_answer jsonb;
begin
  -- Only what looks for itself whether the caller is an admin; the name comes from the program, and is not trusted all the same.
  if v_function is null or p_operation !~ '^admin-[a-z-]+$' then
    perform raise_error('ERR_4007', '{"what":"operation"}');
  end if;
  v_answer := (find_replay(v_admin, p_key, v_hash)).response_data;
  if v_answer is not null then
    return v_answer;
  end if;
  execute format('select %s($1)', v_function::regproc) into v_answer using p_request;
  return keep_answer(v_admin, p_key, p_operation, v_hash, v_answer);
end
$$;
comment on function call_admin_once(uuid, text, jsonb) is
  'Does a change of an admin once for each key; a repetition gets the answer of the first, another request under the key ERR_4009. Raises what the change itself raises.';
