-- Adds what a node counted since it last said so. Kept for as long as somebody might ask whether the switch is still needed.
create or replace function count_unverified_uses(p_kind text, p_uses bigint) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  insert into unverified_uses (kind, hour, uses) values (p_kind, date_trunc('hour', clock_timestamp(), 'UTC'), p_uses)
  on conflict on constraint unverified_uses_pkey do update set uses = unverified_uses.uses + excluded.uses;
  delete from unverified_uses where hour < clock_timestamp() - interval '90 days';
end
$$;
comment on function count_unverified_uses(text, bigint) is 'Adds to the uses of the switch for shipped builds in this hour.';
