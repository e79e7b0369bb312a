-- What Apple may be sent about a purchase whose buyer asked for a refund: only with the buyer's consent, and how much of it is used. A balance
-- does not know which credits are left; the newest purchase is taken to be spent last.
create or replace function get_consumption(p_environment text, p_transaction_id text)
returns table (has_consent boolean, consumption_percentage integer, had_free_credits boolean, was_sent boolean)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select
    exists (select from user_consents c where c.user_id = u.id and c.kind = 'consumption_data' and c.withdrawn_at is null),
    ((p.credits - least(p.credits, greatest(u.credits_remaining - coalesce((
      select sum(n.credits - n.credits_taken_back) from purchases n
      where account_of(n.user_id) = u.id and n.credited_at > p.credited_at), 0), 0)))::bigint * 100000 / p.credits)::integer,
    exists (select from quota_log q where account_of(q.user_id) = u.id and q.reason = 'initial_grant'
      and q.user_id in (select o.id from users o where o.id = u.id or o.merged_into = u.id)),
    p.consumption_sent_at is not null
  from purchases p join users u on u.id = account_of(p.user_id)
  where p.environment = p_environment and p.transaction_id = p_transaction_id and p.credited_at is not null
$$;
comment on function get_consumption(text, text) is
  'Consent of a purchase''s buyer, the share used in thousandths of a percent, whether free credits came before, and whether Apple was answered; no row for a purchase that was never credited.';
