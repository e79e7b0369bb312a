create or replace function get_installation() returns table (id uuid, store_marked_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select i.id, i.store_marked_at from installation i
$$;
comment on function get_installation() is 'The id of this installation and when its store was marked with it.';
