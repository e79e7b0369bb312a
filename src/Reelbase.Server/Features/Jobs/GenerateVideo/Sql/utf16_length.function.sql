create or replace function internal.utf16_length(p_text text) returns integer language sql immutable parallel safe as $$
  select char_length(p_text) + char_length(regexp_replace(p_text, '[^\U00010000-\U0010FFFF]', '', 'g'))
$$;
comment on function internal.utf16_length(text) is 'The length of a text in UTF-16 units, as some vendors count it: two for a character beyond U+FFFF.';
