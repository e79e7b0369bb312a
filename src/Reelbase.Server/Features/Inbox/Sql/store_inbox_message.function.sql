-- Keeps a verified message of an outside system that is about no submission, before anything is done with it. The same
-- message twice is one row. Answers whether it is new.
create or replace function store_inbox_message(p_inbox text, p_event_id text, p_event_type text, p_payload jsonb)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  insert into webhook_deliveries (inbox, provider, event_id, event_type, payload)
  values (p_inbox, p_inbox, left(p_event_id, 200), left(p_event_type, 100), p_payload)
  on conflict on constraint webhook_deliveries_event_key do nothing;
  return found;
end
$$;
comment on function store_inbox_message(text, text, text, jsonb) is 'Stores an inbound message once (inbox app_store or apple_account); true when it is new.';
