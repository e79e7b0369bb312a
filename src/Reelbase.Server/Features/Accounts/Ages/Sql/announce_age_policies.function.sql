-- What holds of each age band, from the settings of the node that starts: {"under_13": "block", "guardian" or "allow", ...}.
create or replace function announce_age_policies(p_policies jsonb) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update installation set age_policies = p_policies where age_policies <> p_policies;
end
$$;
comment on function announce_age_policies(jsonb) is 'Writes the policies of age bands, at the start of a node with the role api.';
