-- Ends a code now, once, and writes that down. What was redeemed stays; a code whose time is over keeps the end that it had.
create or replace function end_promo_code(p_admin_id uuid, p_reason text, p_id uuid) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update promo_codes set ended_at = clock_timestamp() where id = p_id and ended_at is null and (ends_at is null or ends_at > clock_timestamp());
  if found then
    perform write_admin_action(p_admin_id, 'promo_code_end', jsonb_build_object('reason', p_reason), null, null, p_id::text);
    return true;
  end if;
  return exists (select from promo_codes where id = p_id);
end
$$;
comment on function end_promo_code(uuid, text, uuid) is 'Ends a promo code; false when there is none of that id. Twice is once. Raises ERR_4000.';
