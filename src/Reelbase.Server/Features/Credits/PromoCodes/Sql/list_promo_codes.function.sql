-- Every code with what became of it, the newest first.
create or replace function list_promo_codes() returns table (
  id uuid, label text, hint text, state text, credits integer, max_redemptions integer, redeemed integer, credits_given bigint, credits_taken_back bigint,
  redeemed_last_day bigint, last_redeemed_at timestamptz, starts_at timestamptz, ends_at timestamptz, ended_at timestamptz, created_by text, created_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select c.id, c.label, c.hint,
    case when c.ended_at is not null or c.ends_at <= now() then 'ended' when c.redeemed >= c.max_redemptions then 'used_up'
      when c.starts_at > now() then 'planned' else 'active' end,
    c.credits, c.max_redemptions, c.redeemed, c.redeemed::bigint * c.credits, coalesce(r.taken_back, 0), coalesce(r.last_day, 0), r.last_at,
    c.starts_at, c.ends_at, c.ended_at, u.email, c.created_at
  from (select * from promo_codes order by created_at desc, id limit 500) c
  left join users u on u.id = c.created_by
  left join lateral (
    select (select sum(d.taken_back) from promo_redemptions d where d.code_id = c.id and d.duplicate_at is not null)::bigint as taken_back,
      (select count(*) from promo_redemptions l where l.code_id = c.id and l.created_at > now() - interval '1 day') as last_day,
      (select l.created_at from promo_redemptions l where l.code_id = c.id order by l.number desc limit 1) as last_at) r on true
  order by c.created_at desc, c.id
$$;
comment on function list_promo_codes() is 'The newest 500 promo codes with their uses. Codes themselves are not known.';
