create or replace function internal.younger_age_band(p_one text, p_other text) returns text
language plpgsql immutable set search_path = internal, public, pg_temp as $$
declare
  c_bands constant text[] := array['under_13', '13_15', '16_17', '18_plus'];
begin
  return c_bands[least(array_position(c_bands, p_one), array_position(c_bands, p_other))];
end
$$;
comment on function internal.younger_age_band(text, text) is 'The younger of two age bands. Internal to set_age_band and on_account_merged_ages.';
