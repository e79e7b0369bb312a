-- Who gets the prompt and the picture of a job with a model: the provider, the gateway that it is reached through, and whose model runs behind it. What is not known of
-- a model (no vendor in its row, no known family in its id) names the provider alone.
create or replace function model_recipients(p_model models) returns text[]
language plpgsql stable set search_path = public, pg_temp as $$
begin
  return (
    select coalesce(array_agg(distinct n.name order by n.name), '{}') from (
      select coalesce((select s.display_name from provider_states s where s.provider = p_model.provider), initcap(p_model.provider)) as name
      union select 'fal.ai' where p_model.provider_model_id like 'fal-ai/%'
      union select coalesce(p_model.vendor, (select v.vendor
        from (values ('veo', 'Google'), ('imagen', 'Google'), ('gemini', 'Google'), ('kling', 'Kling AI (Kuaishou)'), ('sora', 'OpenAI'), ('pika', 'Pika'), ('hailuo', 'MiniMax'),
          ('minimax', 'MiniMax'), ('seedance', 'ByteDance'), ('bytedance', 'ByteDance'), ('wan', 'Alibaba'), ('hunyuan', 'Tencent'), ('luma', 'Luma AI'), ('ltx', 'Lightricks'),
          ('pixverse', 'PixVerse'), ('vidu', 'Shengshu'), ('grok', 'xAI')) v (family, vendor)
        where p_model.provider_model_id ~ ('(^|/)' || v.family || '([0-9./_-]|$)') order by v.family limit 1))) n
    where n.name is not null);
end
$$;
comment on function model_recipients(models) is 'Names of who gets what a user sends with a model. Internal to consents.';
