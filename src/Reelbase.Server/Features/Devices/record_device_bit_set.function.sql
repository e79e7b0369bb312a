create or replace function record_device_bit_set(p_grant_id uuid, p_leased_by text)
returns boolean language sql security definer set search_path = public, pg_temp as $$
  with changed as (
    update device_grants set stage = 'bit_set' where id = p_grant_id and leased_by = p_leased_by and stage = 'queried' returning 1)
  select exists (select from changed)
$$;
comment on function record_device_bit_set(uuid, text) is 'Notes that Apple has stored bit0 for a claimed grant.';
