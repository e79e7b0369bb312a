-- Finds or makes the guest of a device, and notes that the free grant is to be decided when it is still undecided.
-- p_device_id is the app's own identifier. Only one in UUID form returns an existing user, because others can be guessed, and only when Apple has accepted
-- this call's token (p_verdict, see begin_device_question):
--   accepted     the device's guest; temporary guests of the device are merged into them first
--   unverified   Apple could not be heard, or was asked too often: a temporary guest without credits, or the one whom this id and token opened before
--   null         nobody has asked yet. That is enough for a device that is not known; for one that is, refusal says unasked
--   not_asked    a node of the previous release, which asks about no known device: its guest, and nobody is merged
-- A member's device is not handed the member's session: it gets a new guest without credits, and the device id moves there. Calls for one device wait for each other.
-- A phone whose answer was lost sends the same id and the same token again: within ten minutes it gets the same guest, whatever form its id has,
-- since the token is known to that phone alone. Only the token's SHA-256 is kept for that.
-- p_key: what the phone has proven by App Attest (admit_device_key). An id that has keys opens its guest for one of them only; any other phone gets a guest without
-- credits of its own (open_keyless_guest), whatever Apple says of its token.
-- p_risk: throttle_score, block_score, throttle_seconds; what they do is for new devices only, a known one is served.
-- A denied grant was about the phone that the token came from: another token of the id is asked about, a few times in a week for an id and address, and what others
-- have asked goes on beside it. So a phone that Apple's bits mark takes nothing away from whoever has the id.
-- refusal says why there is no session: banned (its phone is to be marked at Apple, grant_id does that), blocked or unasked. joined: the temporary guests
-- who are part of user_id from now on.
create or replace function open_device(
  p_device_id text, p_device_token text, p_ip inet, p_verdict text, p_keep_token boolean,
  p_new_devices_limit integer, p_window_seconds integer, p_risk jsonb, p_key jsonb)
returns table (user_id uuid, is_new boolean, grant_id uuid, is_verified boolean, rate_limit integer, rate_remaining integer, rate_reset_at timestamptz,
  refusal text, joined uuid[])
-- As in note_device_opening: a plan that is made while the tables are small would read the whole of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  c_repeat constant interval := interval '10 minutes';
  c_max_denials constant integer := 3;
  c_denials_window constant interval := interval '7 days';
  c_max_open_grants constant integer := 10;
  v_hash text := device_id_hash(p_device_id);
  v_is_secret boolean := opens_known_guest(p_device_id);
  v_token_hash bytea := sha256(convert_to(p_device_token, 'UTF8'));
  v_device_hash bytea := decode(substr(v_hash, 8), 'hex');
  v_is_repeated boolean;
  v_repeater users;
  v_waiting users;
  v_user users;
  v_device device_checks;
  v_rate record;
  v_was_member boolean := false;
  v_user_id uuid;
  v_score integer;
  v_is_banned boolean;
  v_temporary temporary_guests;
  v_origin bytea := sha256(convert_to(concat_ws('|', coalesce(host(network(set_masklen(p_ip, case family(p_ip) when 6 then 64 else 32 end))), ''), v_hash), 'UTF8'));
begin
  perform pg_advisory_xact_lock(hashtextextended('device:' || v_hash, 0));
  perform adopt_device_id(p_device_id);
  -- Rows in the order of every merge: whoever may become part of somebody first.
  if p_verdict = 'accepted' then
    perform 1 from users u where u.id in (select t.user_id from temporary_guests t where t.device_hash = v_hash) order by u.id for no key update;
  end if;
  -- No join: planned while the table had one row, it would go through all openings in the order of their users for as long as the connection lives.
  select u.* into v_repeater from users u
  where u.id = (
      select o.user_id from device_openings o
      where o.token_hash = v_token_hash and o.device_hash = v_device_hash and o.opened_at > clock_timestamp() - c_repeat)
    and u.is_guest and u.merged_into is null and u.deleted_at is null
  for no key update of u;
  v_is_repeated := found;
  -- The temporary guest of this very call is found by themselves: a repeat of it without its key has opened somebody else since.
  select u.* into v_waiting from temporary_guests t join users u on u.id = t.user_id
  where t.device_hash = v_hash and t.token_hash = v_token_hash and t.created_at > clock_timestamp() - c_repeat
    and u.is_guest and u.merged_into is null and u.deleted_at is null
  order by t.created_at desc limit 1 for no key update of u;
  select * into v_user from users where device_id = v_hash and deleted_at is null for no key update;
  select * into v_device from device_checks where device_id = v_hash;
  if v_waiting.banned_at is not null or v_is_repeated and v_repeater.banned_at is not null and not (v_is_secret and v_repeater.id = v_user.id) then
    refusal := 'banned';
    return next;
    return;
  end if;
  if v_is_repeated and not v_is_secret then
    v_user := v_repeater;
  end if;
  -- A phone that was merged away is its member's.
  v_is_banned := v_user.banned_at is not null
    or exists (select from users m where m.id = v_user.merged_into and m.banned_at is not null);
  if v_user.id is not null and v_is_secret then
    if v_is_banned is distinct from coalesce(v_device.bit1, false) and 'banned_phone' <> all (coalesce(v_device.fraud_flags, '{}'))
      and (v_is_banned or p_verdict in ('accepted', 'not_asked')) then
      -- What our ban says is not yet what Apple keeps for this phone, and only a fresh token can change that.
      insert into device_checks (device_id, user_id) values (v_hash, v_user.id) on conflict (device_id) do nothing;
      update device_grants g set stage = 'abandoned', decided_at = now(), device_token = null, last_error = 'a newer token came'
      where g.user_id = v_user.id and g.purpose = 'mark' and g.decided_at is null and g.lease_until is null;
      insert into device_grants (user_id, device_id, device_token, purpose, bit1_wanted)
      values (v_user.id, v_hash, p_device_token, 'mark', v_is_banned);
    end if;
    if v_is_banned or 'banned_phone' = any (v_device.fraud_flags)
      -- Apple has said so about this very token.
      or exists (select from device_grants g where g.user_id = v_user.id and g.purpose = 'grant' and g.token_hash = v_token_hash and g.bit1) then
      refusal := 'banned';
      return next;
      return;
    end if;
    if p_verdict is null and v_repeater.id is distinct from v_user.id then
      refusal := 'unasked';
      return next;
      return;
    end if;
    -- Nodes of the previous release know no keys; they open what they have always opened.
    if p_verdict is distinct from 'not_asked' and not admit_device_key(v_hash, v_user.id, p_key, p_verdict is distinct from 'unverified') then
      v_user_id := open_keyless_guest(v_hash, v_user.id, v_repeater.id, p_key, p_ip, p_new_devices_limit, p_window_seconds);
      perform note_device_opening(v_token_hash, v_device_hash, v_user_id);
      user_id := v_user_id;
      is_new := not exists (select from sessions s where s.user_id = v_user_id);
      is_verified := p_verdict is distinct from 'unverified';
      return next;
      return;
    end if;
    if p_verdict = 'unverified' then
      user_id := coalesce(case when v_repeater.id = v_user.id then v_user.id end, v_waiting.id);
      is_new := user_id is null;
      user_id := coalesce(user_id, open_temporary_guest(v_hash, p_device_token, p_keep_token));
      is_verified := false;
      if is_new then
        perform note_device_opening(v_token_hash, v_device_hash, user_id);
      end if;
      -- A key that came while Apple was away is known when it comes back; it joins only then.
      perform keep_device_key(v_hash, user_id, p_key, false);
      return next;
      return;
    end if;
  end if;

  if v_user.id is not null and (v_is_secret or v_is_repeated) and v_user.is_guest and v_user.merged_into is null then
    is_new := false;
    v_user_id := v_user.id;
  else
    v_score := assess_device(v_hash, p_ip);
    -- A banned phone that has brought this id before does not keep it from everybody: Apple is asked about each token, at the pace of a risky device.
    if v_score >= (p_risk ->> 'block_score')::integer and 'banned_phone' <> all (coalesce(v_device.fraud_flags, '{}')) then
      refusal := 'blocked';
      return next;
      return;
    elsif v_score >= (p_risk ->> 'throttle_score')::integer then
      select * into v_rate from check_rate_limit('device_check_risky', null, p_ip, 1, (p_risk ->> 'throttle_seconds')::integer);
      if not v_rate.allowed then
        perform raise_error('ERR_4004', jsonb_build_object('limit', 1, 'scope', 'device',
          'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
      end if;
    end if;
    select * into v_rate from check_rate_limit('device_check_new', null, p_ip, p_new_devices_limit, p_window_seconds);
    rate_limit := p_new_devices_limit;
    rate_remaining := v_rate.remaining;
    rate_reset_at := v_rate.reset_at;
    if not v_rate.allowed then
      perform raise_error('ERR_4004', jsonb_build_object('limit', p_new_devices_limit, 'scope', 'address',
        'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
    end if;
    is_new := true;
    if v_user.id is not null and v_is_secret then
      v_was_member := true;
      update users set device_id = null, updated_at = now() where id = v_user.id;
    end if;
    insert into users (device_id, is_guest)
    values (case when v_user.id is null or v_was_member then v_hash end, true)
    returning id into v_user_id;
    perform note_device_opening(v_token_hash, v_device_hash, v_user_id);
  end if;

  user_id := v_user_id;
  insert into device_checks (device_id, user_id) values (v_hash, v_user_id)
  on conflict (device_id) do update set user_id = excluded.user_id, updated_at = now(),
    -- A new guest's phone is another phone, until Apple says otherwise.
    fraud_flags = case when is_new then array_remove(device_checks.fraud_flags, 'banned_phone') else device_checks.fraud_flags end;
  if v_is_secret then
    if is_new then
      perform keep_device_key(v_hash, v_user_id, p_key, true);
    end if;
    update device_keys k set user_id = v_user_id where k.device_hash = v_hash and k.is_joined and k.user_id <> v_user_id;
  end if;
  if p_verdict = 'accepted' and v_is_secret then
    for v_temporary in select t.* from temporary_guests t where t.device_hash = v_hash order by t.user_id loop
      if merge_temporary_guest(v_temporary.user_id, v_user_id, v_temporary.token_hash = v_token_hash) then
        joined := array_append(joined, v_temporary.user_id);
      end if;
    end loop;
  end if;
  if v_was_member then
    insert into device_grants (user_id, device_id, stage, decided_at) values (v_user_id, v_hash, 'denied', now());
    is_verified := true;
    return next;
    return;
  end if;
  if is_new then
    -- Nothing is known of them, so nothing is looked for.
    insert into device_grants (user_id, device_id, device_token, token_hash, made_guest, origin)
    values (v_user_id, v_hash, p_device_token, v_token_hash, true, v_origin) returning id into grant_id;
    is_verified := false;
    return next;
    return;
  end if;
  is_verified := coalesce(v_user.initial_grant_claimed, false) or exists (
    select from device_grants g where g.user_id = v_user_id and g.purpose = 'grant'
      -- Without bits: an id that has moved away from a member, about which nobody was asked.
      and (g.stage = 'granted' or (g.stage = 'denied' and (g.bit0 is null or g.token_hash = v_token_hash))))
    or c_max_denials <= (select count(*) from device_grants g where g.user_id = v_user_id and g.purpose = 'grant' and g.stage = 'denied'
      and g.origin = v_origin and g.decided_at > clock_timestamp() - c_denials_window);
  if not is_verified then
    -- The same token asks the same: both calls wait for one answer of Apple.
    select g.id into grant_id from device_grants g
    where g.user_id = v_user_id and g.purpose = 'grant' and g.decided_at is null and g.device_token = p_device_token
    order by g.created_at desc limit 1;
  end if;
  if not is_verified and grant_id is null then
    -- What others have asked goes on: their phone may be the unmarked one. The first and the latest stay when there are too many.
    update device_grants g set stage = 'abandoned', decided_at = now(), device_token = null, last_error = 'newer tokens came'
    where g.id in (
      select o.id from device_grants o
      where o.user_id = v_user_id and o.purpose = 'grant' and o.stage = 'requested' and o.lease_until is null and not o.made_guest
      order by o.created_at desc offset c_max_open_grants - 2);
    -- An earlier grant of this guest may have set the bit without hearing of it; the new one has to know.
    insert into device_grants (user_id, device_id, device_token, token_hash, made_guest, origin, bit_attempted_at)
    values (v_user_id, v_hash, p_device_token, v_token_hash, false, v_origin,
      (select max(g.bit_attempted_at) from device_grants g where g.user_id = v_user_id and g.stage in ('requested', 'abandoned', 'rejected')))
    returning id into grant_id;
  end if;
  return next;
end
$$;
comment on function open_device(text, text, inet, text, boolean, integer, integer, jsonb, jsonb) is
  'The guest of a device, made when there is none, and the grant that is still to be decided; refusal banned, blocked or unasked gives none. Raises ERR_4004.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function open_device(
  p_device_id text, p_is_uuid boolean, p_device_token text, p_ip inet,
  p_new_devices_limit integer, p_window_seconds integer, p_risk jsonb)
returns table (user_id uuid, is_new boolean, grant_id uuid, is_verified boolean, rate_limit integer, rate_remaining integer, rate_reset_at timestamptz,
  refusal text)
language sql security definer set search_path = internal, public, pg_temp as $$
  select o.user_id, o.is_new, o.grant_id, o.is_verified, o.rate_limit, o.rate_remaining, o.rate_reset_at, o.refusal
  from open_device(p_device_id, p_device_token, p_ip, 'not_asked', false, p_new_devices_limit, p_window_seconds, p_risk, null) o
$$;
comment on function open_device(text, boolean, text, inet, integer, integer, jsonb) is
  'As open_device with a verdict, for nodes of the previous release.';
