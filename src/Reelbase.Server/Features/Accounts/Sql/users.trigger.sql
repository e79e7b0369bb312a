-- Whichever way a user sets their language, from then on it is theirs and no longer the default.
create or replace function internal.note_language_choice() returns trigger
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  new.language_chosen_at := now();
  return new;
end
$$;
comment on function internal.note_language_choice() is 'Trigger: marks the language as chosen when an update sets it.';
drop trigger if exists users_language_choice on users;
create trigger users_language_choice before update of language on users for each row execute function internal.note_language_choice();

-- When a user last changed is not theirs to say.
create or replace function internal.note_settings_change() returns trigger
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  new.updated_at := now();
  return new;
end
$$;
comment on function internal.note_settings_change() is 'Trigger: notes when language or theme_preference were set.';
drop trigger if exists users_settings_change on users;
create trigger users_settings_change before update of language, theme_preference on users for each row execute function internal.note_settings_change();

-- The tier is derived, whoever writes: premium by an admin's grant (or carried over from an older system), or by a purchase that is not
-- fully refunded. Setting it by hand is a grant, or the end of one; what was bought stays.
create or replace function internal.derive_tier() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if new.deleted_at is not null then
    new.premium_granted_by := null;
    new.tier := 'free';
    return new;
  end if;
  if tg_op = 'INSERT' then
    -- Who is new has bought nothing yet.
    new.premium_granted_by := case when new.tier = 'premium' then coalesce(new.premium_granted_by, 'admin') end;
    return new;
  elsif new.tier <> old.tier and new.premium_granted_by is not distinct from old.premium_granted_by then
    new.premium_granted_by := case when new.tier = 'premium' then coalesce(new.premium_granted_by, 'admin') end;
  end if;
  new.tier := case when new.premium_granted_by is not null then 'premium' else purchased_tier(new.id) end;
  return new;
end
$$;
comment on function internal.derive_tier() is 'Trigger: a user''s tier follows from grants and unrevoked purchases.';
drop trigger if exists users_tier on users;
create trigger users_tier before insert or update of tier, premium_granted_by, deleted_at on users
  for each row execute function internal.derive_tier();
