-- The user whom a shipped build means by an id that nobody has verified (the switch is open). An account id cannot be guessed; an app's own identifier can (the App
-- Store's are digits), so an address that has asked for p_misses_limit unknown ones within an hour gets no more answers about such ids.
-- An install whose onboarding failed three times goes on with its own identifier for ever: digits, or a UUID in Swift's capitals. It becomes a guest without device and
-- credits, p_guests_limit an hour and address. What every phone sends after signing out, an id of a deleted account and anything else mean nobody.
create or replace function claim_unverified_user(p_user_id text, p_ip inet, p_misses_limit integer, p_guests_limit integer)
returns table (user_id uuid, is_new boolean)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_network inet := case when family(p_ip) = 6 then set_masklen(p_ip, 64)::cidr::inet else coalesce(p_ip, '0.0.0.0') end;
  v_is_uuid boolean := p_user_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
  v_misses record;
  v_hash text;
begin
  is_new := false;
  if p_user_id in ('', 'guest-preview-id', 'user-placeholder-id', 'device-123') then
    return;
  end if;
  if not v_is_uuid then
    select count(*) as taken, min(created_at) as since into v_misses from rate_limit_log
    where ip_address = v_network and action = 'unverified_miss' and created_at > clock_timestamp() - interval '1 hour';
    if v_misses.taken >= p_misses_limit then
      perform raise_error('ERR_4004', jsonb_build_object('limit', p_misses_limit, 'scope', 'address',
        'retry_after_seconds', greatest(1, ceil(extract(epoch from v_misses.since + interval '1 hour' - clock_timestamp())))::integer));
    end if;
  end if;
  user_id := find_user_id(p_user_id);
  if user_id is null and (p_user_id ~ '^[0-9]{6,40}$' or (v_is_uuid and p_user_id = upper(p_user_id) and p_user_id ~ '[A-F]')) then
    perform pg_advisory_xact_lock(hashtextextended('device:' || device_id_hash(p_user_id), 0));
    v_hash := adopt_device_id(p_user_id);
    user_id := find_user_id(p_user_id);
    if user_id is null and not is_device_banned(p_user_id)
        and not (v_is_uuid and exists (select from users u where u.id = p_user_id::uuid))
        and (select r.allowed from check_rate_limit('unverified_guest', null, p_ip, p_guests_limit, 3600) r) then
      insert into users (device_id, is_guest) values (v_hash, true)
      on conflict do nothing
      returning id into user_id;
      is_new := user_id is not null;
    end if;
  end if;
  if user_id is null then
    -- Counted only; what is over the limit is refused the next time.
    perform check_rate_limit('unverified_miss', null, p_ip, p_misses_limit, 3600);
    return;
  end if;
  return next;
end
$$;
comment on function claim_unverified_user(text, inet, integer, integer) is
  'The account that an unverified id of a shipped build means, made when it is the identifier of an install that could not onboard; no row for nobody. Raises ERR_4004.';
