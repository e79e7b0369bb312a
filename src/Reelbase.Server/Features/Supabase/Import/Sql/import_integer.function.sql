-- A number of another database as an integer of ours; null for what is none or does not fit.
create or replace function internal.import_integer(p_text text) returns integer
language sql immutable set search_path = internal, public, pg_temp as $$
  select case when p_text ~ '^-?[0-9]{1,15}(\.[0-9]{1,15})?$' and round(p_text::numeric) between -2147483648 and 2147483647
    then round(p_text::numeric)::integer end
$$;
comment on function internal.import_integer(text) is 'An integer of another database, or null. For the import, which runs as the owner.';
