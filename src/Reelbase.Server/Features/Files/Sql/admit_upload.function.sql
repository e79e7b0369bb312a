-- Whether the caller may send a picture now; asked before its bytes are read. Takes a place in both limits. p_limits: user and address (uploads
-- a window; null: unlimited), window_seconds, max_files, max_bytes, max_installation_bytes (null: unlimited). A refusal takes no place.
create or replace function admit_upload(p_bucket text, p_folder uuid, p_path text, p_upsert boolean, p_bytes bigint, p_ip inet, p_limits jsonb)
returns table (rate_limit integer, rate_remaining integer, rate_reset_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_window_seconds integer := (p_limits ->> 'window_seconds')::integer;
  v_rate record;
begin
  perform require_own_folder(p_folder);
  perform require_upload_fits(v_me, p_bucket, p_folder, p_path, p_upsert, coalesce(p_bytes, 0), p_limits);
  select * into v_rate from check_rate_limit('upload_address', null, p_ip, (p_limits ->> 'address')::integer, v_window_seconds);
  if not v_rate.allowed then
    perform raise_error('ERR_4004', jsonb_build_object('limit', (p_limits ->> 'address')::integer, 'scope', 'address',
      'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
  end if;
  rate_limit := (p_limits ->> 'user')::integer;
  select * into v_rate from check_rate_limit('upload', v_me, p_ip, rate_limit, v_window_seconds);
  if not v_rate.allowed then
    perform raise_error('ERR_4004', jsonb_build_object('limit', rate_limit, 'scope', 'user',
      'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
  end if;
  rate_remaining := v_rate.remaining;
  rate_reset_at := v_rate.reset_at;
  return next;
end
$$;
comment on function admit_upload(text, uuid, text, boolean, bigint, inet, jsonb) is
  'Whether the caller may send a picture now; takes a place in the limits. Raises ERR_4004, ERR_4005, ERR_4006, ERR_4012, ERR_6002.';
