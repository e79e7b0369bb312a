-- Whose model runs behind a row: what an operator has said, else the family in the vendor's id; null when nobody knows.
create or replace function internal.model_vendor(p_model models) returns text
language plpgsql immutable set search_path = internal, public, pg_temp as $$
begin
  return coalesce(p_model.vendor, (select v.vendor
    from (values ('veo', 'Google'), ('imagen', 'Google'), ('gemini', 'Google'), ('kling', 'Kling AI (Kuaishou)'), ('sora', 'OpenAI'), ('pika', 'Pika'), ('hailuo', 'MiniMax'),
      ('minimax', 'MiniMax'), ('seedance', 'ByteDance'), ('bytedance', 'ByteDance'), ('wan', 'Alibaba'), ('hunyuan', 'Tencent'), ('luma', 'Luma AI'), ('ltx', 'Lightricks'),
      ('pixverse', 'PixVerse'), ('vidu', 'Shengshu'), ('grok', 'xAI')) v (family, vendor)
    where p_model.provider_model_id ~ ('(^|/)' || v.family || '([0-9./_-]|$)') order by v.family limit 1));
end
$$;
comment on function internal.model_vendor(models) is 'Whose model runs behind a row; null when nobody knows. Internal to model_recipients, consent_rule and describe_model.';
