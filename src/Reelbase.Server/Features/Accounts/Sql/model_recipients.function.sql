-- Who gets the prompt and the picture of a job with a model: the provider, the gateway that it is reached through, and whose model runs behind it. What is not known of
-- a model (no vendor in its row, no known family in its id) names the provider alone.
create or replace function internal.model_recipients(p_model models) returns text[]
language plpgsql stable set search_path = internal, public, pg_temp as $$
begin
  return (
    select coalesce(array_agg(distinct n.name order by n.name), '{}') from (
      select coalesce((select s.display_name from provider_states s where s.provider = p_model.provider), initcap(p_model.provider)) as name
      union select 'fal.ai' where p_model.provider_model_id like 'fal-ai/%'
      union select model_vendor(p_model)) n
    where n.name is not null);
end
$$;
comment on function internal.model_recipients(models) is 'Names of who gets what a user sends with a model. Internal to consents.';
