-- Keeps what Apple said about a token while a grant was decided, so that the same token is not asked about again. Internal to the grant functions.
create or replace function internal.keep_device_verdict(p_device_hash text, p_device_token text, p_verdict text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into device_questions (device_hash, token_hash, verdict, decided_at)
  select p_device_hash, sha256(convert_to(p_device_token, 'UTF8')), p_verdict, clock_timestamp() where p_device_token is not null
$$;
comment on function internal.keep_device_verdict(text, text, text) is 'Keeps Apple''s answer for a token under its hash. Internal to the grant functions.';
