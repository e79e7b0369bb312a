-- Whether a folder of local files is this installation's: the first one that asks is, and from then on no other. p_marker: the random id that lies
-- in the folder; p_carries: the installation that an earlier release wrote beside it.
create or replace function claim_store(p_marker uuid, p_carries text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_installation installation;
begin
  select * into v_installation from installation i;
  if v_installation.store_marker is null then
    -- Two nodes may start at once.
    select * into v_installation from installation i for no key update;
  end if;
  if v_installation.store_marker is null then
    if v_installation.store_marked_at is not null and p_carries is distinct from v_installation.id::text then
      return false;
    end if;
    update installation set store_marker = p_marker;
    return true;
  end if;
  return v_installation.store_marker = p_marker;
end
$$;
comment on function claim_store(uuid, text) is
  'Whether a folder of local files is this installation''s; the first one becomes it.';
