-- The tables that work is claimed from with renew_work and its like: what finds one row by its key as text, and what marks it as given up.
-- Anything else that distinguishes them is in their own claim functions.
create or replace function internal.work_table(p_work text, out table_name text, out key_condition text, out end_clause text)
language plpgsql immutable set search_path = internal, public, pg_temp as $$
begin
  case p_work
    when 'inbox_messages' then
      table_name := 'webhook_deliveries'; key_condition := 'id = $1::bigint'; end_clause := ', status = ''failed''';
    when 'push_notifications' then
      table_name := p_work; key_condition := 'id = $1::uuid'; end_clause := ', status = ''failed'', finished_at = clock_timestamp()';
    when 'alerts' then
      table_name := p_work; key_condition := 'id = $1::bigint'; end_clause := ', status = ''failed'', finished_at = clock_timestamp()';
    when 'apple_authorizations' then
      table_name := p_work; key_condition := 'id = $1::bigint'; end_clause := '';
    when 'storage_objects' then
      table_name := p_work; key_condition := 'id = $1::uuid'; end_clause := '';
    when 'purchase_claims' then
      -- A uuid is 36 characters long, and a slash follows.
      table_name := p_work; key_condition := 'user_id = left($1, 36)::uuid and transaction_id = substr($1, 38)'; end_clause := '';
  end case;
end
$$;
comment on function internal.work_table(text) is 'How the shared functions of work find and end a row. Internal.';
