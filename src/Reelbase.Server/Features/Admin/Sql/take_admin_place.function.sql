-- An attempt to sign in takes a place of its address, and of its whole IPv6 /48: providers hand networks of that size to anybody, and each holds
-- 65,536 of the /64s that count as an address. A /48 has five times the places of one address.
create or replace function internal.take_admin_place(p_action text, p_network inet, p_limit integer, p_window_seconds integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  return (select r.allowed from check_rate_limit(p_action, null, p_network, p_limit, p_window_seconds) r)
    and (family(p_network) = 4
      or (select r.allowed from check_rate_limit(p_action || '_48', null, set_masklen(p_network, 48)::cidr::inet, p_limit * 5, p_window_seconds) r));
end
$$;
comment on function internal.take_admin_place(text, inet, integer, integer) is
  'Whether the address and its IPv6 /48 had a place left, which is taken. Internal to the functions of signing in.';
