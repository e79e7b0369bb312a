-- The turn to decide a grant. Apple has no compare-and-set and gives us no device identity, so from reading the bit to
-- granting only one process of the installation works, on one grant. A grant whose answer is stored (queried) comes first:
-- that answer would be wrong as soon as another grant were decided. p_leased_by is the claim token of this one claim.
-- A claim counts an attempt and moves run_after on; a grant that was claimed p_max_claims times without an end is given up with an
-- alert, so that nothing waits behind it. No row: it is somebody else's turn, or nothing is due.
-- p_grant_id null is the worker's question for any grant that is due.
drop function if exists claim_device_grant(text, integer, uuid);
create or replace function claim_device_grant(
  p_leased_by text, p_lease_seconds integer, p_grant_id uuid default null, p_max_claims integer default 20)
returns table (id uuid, user_id uuid, device_id text, device_token text, stage text, bit0 boolean, bit1 boolean, attempt integer,
  purpose text, bit1_wanted boolean)
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  c_max_given_up constant integer := 100;
  v_grant device_grants;
  -- A variable, so that the index ends at it.
  v_now constant timestamptz := clock_timestamp();
begin
  insert into installation_leases (name) values ('device_grant') on conflict do nothing;
  perform 1 from installation_leases where name = 'device_grant'
    and (lease_until is null or lease_until < clock_timestamp()) for no key update;
  if not found then
    return;
  end if;
  for v_number in 1..c_max_given_up loop
    -- Locked, so that a newer token cannot abandon the grant between the choice and the claim. One query for each index: while Apple is away any number waits.
    select g.* into v_grant from device_grants g where g.stage = 'queried' and g.decided_at is null limit 1 for no key update;
    if not found and p_grant_id is not null then
      select g.* into v_grant from device_grants g where g.id = p_grant_id and g.decided_at is null for no key update;
    elsif not found then
      select g.* into v_grant from device_grants g where g.decided_at is null and g.run_after <= v_now order by g.run_after limit 1 for no key update;
    end if;
    if not found then
      return;
    end if;
    exit when v_grant.attempt < p_max_claims;
    perform give_up_device_grant(v_grant.id, 'claimed too often without an end');
    v_grant := null;
  end loop;
  if v_grant.id is null then
    return;
  end if;
  update installation_leases set leased_by = p_leased_by, lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where name = 'device_grant';
  return query
  update device_grants g set leased_by = p_leased_by, attempt = g.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
    run_after = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where g.id = v_grant.id
  returning g.id, g.user_id, g.device_id, g.device_token, g.stage, g.bit0, g.bit1, g.attempt, g.purpose, g.bit1_wanted;
end
$$;
comment on function claim_device_grant(text, integer, uuid, integer) is
  'Takes the installation''s one turn to decide a grant, under a claim token; no row when it is somebody else''s turn or nothing is due.';
