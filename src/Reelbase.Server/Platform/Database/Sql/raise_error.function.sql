-- Ends the transaction with an error of the catalogue (Platform/Errors/ErrorCatalog.cs). Nothing of the request
-- remains, which is how "a refusal changes nothing" is kept. SQLSTATE RB001; the message is the code and the hint
-- carries the details as JSON, because drivers withhold the detail field by default.
create or replace function raise_error(p_code text, p_details jsonb default '{}') returns void
language plpgsql as $$
begin
  raise exception using errcode = 'RB001', message = p_code, hint = coalesce(p_details, '{}')::text;
end
$$;
comment on function raise_error(text, jsonb) is
  'Ends the transaction with an error of the catalogue: SQLSTATE RB001, message = code, hint = details as JSON.';
