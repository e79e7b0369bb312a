-- The twenty of an account's downloads that stay, newest last. Those whose guardian has taken consent back stay first: dropping one would lift the block.
create or replace function internal.bound_app_transactions(p_downloads text[]) returns text[]
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (
    select coalesce(array_agg(k.download order by k.place), '{}') from (
      select d.download, max(d.place) as place
      from unnest(p_downloads) with ordinality d (download, place)
      group by d.download
      order by exists (select from rescinded_consents r where r.app_transaction = d.download) desc, max(d.place) desc limit 20) k);
end
$$;
comment on function internal.bound_app_transactions(text[]) is 'Of an account''s downloads the newest twenty, of which those with a rescinded consent stay first. Internal to note_app_transaction and merge_accounts.';
