-- A user has at most fifty consents of a kind, whoever writes: those that hold first, then the newest. So what was agreed to last always stays.
create or replace function internal.bound_consents() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  delete from user_consents where id in (
    select c.id from user_consents c where c.user_id = new.user_id and c.kind = new.kind
    order by (c.withdrawn_at is null) desc, c.granted_at desc, c.id desc offset 50);
  return null;
end
$$;
comment on function internal.bound_consents() is 'Trigger: of a user''s consents of a kind the newest fifty stay.';
drop trigger if exists user_consents_bound on user_consents;
create trigger user_consents_bound after insert or update of user_id on user_consents for each row execute function internal.bound_consents();
