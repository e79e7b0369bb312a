-- Rows become JSON whole, and PostgreSQL then writes times with an offset and six digits; the named members get the one form.
create or replace function internal.with_json_times(p_row jsonb, variadic p_names text[]) returns jsonb
language sql stable parallel safe set search_path = internal, public, pg_temp as $$
  select p_row || coalesce(jsonb_object_agg(n.name, to_json_time((p_row ->> n.name)::timestamptz)), '{}')
  from unnest(p_names) n (name) where p_row ? n.name
$$;
comment on function internal.with_json_times(jsonb, text[]) is 'The object with the named times in the form of to_json_time.';
