-- Whoever gives an account an Apple subject, another device id or another account: its used codes are used up for those too, before
-- a deletion can take them away again.
create or replace function internal.note_promo_subjects() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform extend_promo_claims(new.id);
  return null;
end
$$;
comment on function internal.note_promo_subjects() is 'Trigger: claims an account''s new subjects for the promo codes that it has redeemed.';
drop trigger if exists users_promo_subjects on users;
create trigger users_promo_subjects after update of apple_sub, device_id, merged_into on users for each row
  when (new.deleted_at is null and (new.apple_sub is distinct from old.apple_sub or new.device_id is distinct from old.device_id
    or new.merged_into is distinct from old.merged_into))
  execute function internal.note_promo_subjects();
