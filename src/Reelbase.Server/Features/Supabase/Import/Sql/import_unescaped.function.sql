-- A part of an address as the name that it stands for; what is no UTF-8 afterwards stays as it is.
create or replace function internal.import_unescaped(p_text text) returns text
language plpgsql immutable set search_path = internal, public, pg_temp as $$
begin
  if position('%' in p_text) = 0 then
    return p_text;
  end if;
  return (
    select convert_from(string_agg(case when m[1] ~ '^%[0-9a-fA-F]{2}$' then decode(substr(m[1], 2), 'hex') else convert_to(m[1], 'UTF8') end, ''::bytea order by n), 'UTF8')
    from regexp_matches(p_text, '%[0-9a-fA-F]{2}|[^%]+|%', 'g') with ordinality r (m, n));
exception when character_not_in_repertoire or untranslatable_character then
  return p_text;
end
$$;
comment on function internal.import_unescaped(text) is 'The name in a part of an address. For the import, which runs as the owner.';
