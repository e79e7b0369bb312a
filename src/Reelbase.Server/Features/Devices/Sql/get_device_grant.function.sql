-- banned: denied because Apple's bit1 marks the phone that the token is from.
create or replace function get_device_grant(p_grant_id uuid) returns table (stage text, is_decided boolean)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select case when stage = 'denied' and purpose = 'grant' and bit1 then 'banned' else stage end, decided_at is not null from device_grants where id = p_grant_id
$$;
comment on function get_device_grant(uuid) is 'How far a grant has come.';
