create or replace function find_user_language(p_user_id uuid) returns text
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select u.language from users u where u.id = p_user_id and u.deleted_at is null and u.language_chosen_at is not null
$$;
comment on function find_user_language(uuid) is 'The language a user asked for, for error messages; null when none was chosen.';
