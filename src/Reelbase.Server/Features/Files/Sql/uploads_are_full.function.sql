create or replace function uploads_are_full(p_max_bytes bigint, p_largest_bytes bigint) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce((select i.picture_bytes + p_largest_bytes > p_max_bytes from installation i), false)
$$;
comment on function uploads_are_full(bigint, bigint) is 'Whether the largest picture would pass the bound over the whole installation; null: no bound.';
