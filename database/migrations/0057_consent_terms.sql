-- The texts that users are asked to agree to, by kind and version. What somebody may have agreed to is never changed.
create table consent_terms (
  kind text not null constraint consent_terms_kind_check check (kind in ('terms', 'ai_processing', 'consumption_data')),
  version text not null constraint consent_terms_version_check check (char_length(version) between 1 and 50),
  -- By language; English is always there.
  texts jsonb not null constraint consent_terms_texts_check check (
    jsonb_typeof(texts) = 'object' and jsonb_typeof(texts -> 'en') = 'string' and texts - array['en', 'tr', 'es'] = '{}' and octet_length(texts::text) <= 65536),
  -- Who gets data beside the configured providers: the vendors behind a gateway, say.
  recipients text[] not null default '{}' constraint consent_terms_recipients_check check (
    cardinality(recipients) <= 50 and array_position(recipients, null) is null),
  published_by uuid constraint consent_terms_published_by_fkey references users (id),
  published_at timestamptz not null default clock_timestamp() constraint consent_terms_published_at_check check (isfinite(published_at)),
  constraint consent_terms_pkey primary key (kind, version)
);
create index consent_terms_published_by_idx on consent_terms (published_by);
alter table consent_terms enable row level security;
-- What a provider is called in front of users; null: its name in the catalogue.
alter table provider_states add column display_name text constraint provider_states_display_name_check check (char_length(display_name) between 1 and 100);
