-- Keeps something an operator should know, once for each kind and key. True when it is new.
create or replace function raise_alert(p_kind text, p_dedupe_key text, p_message text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  insert into alerts (kind, dedupe_key, message) values (p_kind, left(p_dedupe_key, 200), left(p_message, 1000))
  on conflict on constraint alerts_dedupe_key do nothing;
  return found;
end
$$;
comment on function raise_alert(text, text, text) is 'Stores an alert for the operator unless the same one is there; true when it is new.';
