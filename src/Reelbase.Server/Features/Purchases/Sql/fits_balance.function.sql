-- Whether a balance can take so many credits more. One that cannot is far beyond what anybody buys; its purchase waits for support, and says so.
create or replace function internal.fits_balance(p_user_id uuid, p_credits integer, p_environment text, p_transaction_id text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if (select u.credits_remaining::bigint + p_credits from users u where u.id = p_user_id) <= 2147483647 then
    return true;
  end if;
  perform raise_alert('purchase_out_of_range', p_environment || ':' || p_transaction_id,
    format('A purchase of %s credits would leave the range of its buyer''s balance: it waits until there is room.', p_credits));
  return false;
end
$$;
comment on function internal.fits_balance(uuid, integer, text, text) is
  'Whether the balance stays within its range; an alert when not. The user row is locked by the caller. Internal to settle_purchase.';
