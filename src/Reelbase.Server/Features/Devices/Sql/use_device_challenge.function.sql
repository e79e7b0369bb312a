-- Uses a challenge up. Of any number of calls with one challenge, on whichever nodes and at the same time, one hears ok.
create or replace function use_device_challenge(p_challenge_hash bytea) returns text
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_challenge device_challenges;
begin
  update device_challenges set used_at = clock_timestamp()
  where challenge_hash = p_challenge_hash and used_at is null and expires_at > clock_timestamp();
  if found then
    return 'ok';
  end if;
  select * into v_challenge from device_challenges where challenge_hash = p_challenge_hash;
  return case when not found then 'unknown' when v_challenge.used_at is not null then 'used' else 'expired' end;
end
$$;
comment on function use_device_challenge(bytea) is 'Uses a challenge up: ok once, then used; or expired, or unknown.';
