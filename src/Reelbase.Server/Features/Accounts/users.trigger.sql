-- Whichever way a user sets their language, from then on it is theirs and no longer the default.
create or replace function note_language_choice() returns trigger
language plpgsql set search_path = public, pg_temp as $$
begin
  new.language_chosen_at := now();
  return new;
end
$$;
comment on function note_language_choice() is 'Trigger: marks the language as chosen when an update sets it.';
drop trigger if exists users_language_choice on users;
create trigger users_language_choice before update of language on users for each row execute function note_language_choice();
