-- Of two accounts that become one the younger band holds, with the stronger declaration. Both rows are locked by the caller; what waits ends when the account may not any more.
create or replace function internal.on_account_merged_ages(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  with guest as (delete from age_bands where user_id = p_guest_id returning band, declaration)
  insert into age_bands as m (user_id, band, declaration) select p_member_id, g.band, g.declaration from guest g
  on conflict on constraint age_bands_pkey do update set band = younger_age_band(m.band, excluded.band),
    declaration = case when 'guardian' in (m.declaration, excluded.declaration) then 'guardian'
      when 'checked' in (m.declaration, excluded.declaration) then 'checked' else 'self' end;
  perform apply_age_refusal(p_member_id);
end
$$;
comment on function internal.on_account_merged_ages(uuid, uuid) is 'Merges the age bands of a guest and a member. Internal to merge_accounts.';
