-- A charge of p_charged has brought a balance from p_threshold or more to less: one push for each phone of the user, in the transaction of the charge. The
-- caller has locked the user row. Another one follows only after the balance was at the threshold again, since only then it can fall below. Internal.
create or replace function internal.enqueue_low_credits(p_user_id uuid, p_balance_before integer, p_charged integer, p_threshold integer) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  -- Nearly every charge ends here.
  if p_threshold is null or p_threshold <= 0 or p_balance_before < p_threshold or p_balance_before - p_charged >= p_threshold then
    return;
  end if;
  insert into push_notifications (user_id, token, environment, kind, event, model_name, threshold)
  select t.user_id, t.token, t.environment, t.kind, 'low_credits', '', p_threshold
  from push_tokens t
  where t.user_id = p_user_id
    -- A fall, a refund and another fall while Apple is away are one push.
    and not exists (select from push_notifications n where n.user_id = p_user_id and n.token = t.token and n.event = 'low_credits' and n.status = 'pending');
end
$$;
comment on function internal.enqueue_low_credits(uuid, integer, integer, integer) is
  'Puts a push for each phone into the outbox when a charge brings a balance below a threshold. Internal to generate_video.';
