-- The run of something that is done once since a time (this night's, say), for the whole installation. False: it is done, or
-- somebody is at it. Also when somebody has asked for it. At the first start nothing is due: whoever has just taken an old database over
-- gets a day to set how long things are kept.
create or replace function claim_schedule(p_name text, p_leased_by text, p_lease_seconds integer, p_since timestamptz)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  insert into schedules (name, last_finished_at) values (p_name, clock_timestamp()) on conflict do nothing;
  update schedules set leased_by = p_leased_by, lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
    last_started_at = clock_timestamp()
  where name = p_name and (last_finished_at is null or last_finished_at < p_since or requested_at is not null)
    and (lease_until is null or lease_until < clock_timestamp());
  return found;
end
$$;
comment on function claim_schedule(text, text, integer, timestamptz) is 'Leases a scheduled thing that is due or asked for; false when it is not, or is being done.';
