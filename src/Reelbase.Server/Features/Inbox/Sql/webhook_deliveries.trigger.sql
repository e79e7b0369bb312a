-- Who removes what was read of an event removes the bytes with it.
create or replace function internal.drop_raw_body() returns trigger language plpgsql set search_path = internal, public, pg_temp as $$
begin
  new.raw_body := null;
  return new;
end
$$;
comment on function internal.drop_raw_body() is 'Removes the bytes of an event together with its payload. For a trigger.';
drop trigger if exists webhook_deliveries_drop_raw_body on webhook_deliveries;
create trigger webhook_deliveries_drop_raw_body before update on webhook_deliveries
  for each row when (new.payload is null and old.payload is not null) execute function internal.drop_raw_body();
