-- Whoever has proven to be an admin has used no place: neither of a browser that is known, nor of the address and its IPv6 /48. Given back is
-- the kind that was taken last from this address; never both, or each success would make room for a stranger.
create or replace function internal.give_admin_place_back(p_action text, p_user_id uuid, p_network inet) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_network inet := case when family(p_network) = 6 then set_masklen(p_network, 64)::cidr::inet else p_network end;
  v_place rate_limit_log;
begin
  select * into v_place from rate_limit_log
  where ip_address = v_network and ((action = p_action and user_id is null) or (action = p_action || '_known' and user_id = p_user_id))
  order by created_at desc limit 1;
  delete from rate_limit_log where id = v_place.id;
  if v_place.user_id is null and family(p_network) = 6 then
    delete from rate_limit_log where id = (
      select id from rate_limit_log where action = p_action || '_48' and user_id is null
        and ip_address = set_masklen(set_masklen(p_network, 48)::cidr::inet, 64)::cidr::inet order by created_at desc limit 1);
  end if;
end
$$;
comment on function internal.give_admin_place_back(text, uuid, inet) is
  'Gives back the places that a successful attempt took. Internal to the functions of signing in.';
