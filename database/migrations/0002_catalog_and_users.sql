-- Users and the catalogue.

create table users (
  id uuid primary key default gen_random_uuid(),
  email text,
  device_id text constraint users_device_id_key unique,
  apple_sub text constraint users_apple_sub_key unique,
  is_guest boolean not null default true,
  tier text not null default 'free' constraint users_tier_check check (tier in ('free', 'premium')),
  credits_remaining integer not null default 0,
  credits_total integer not null default 0 constraint users_credits_total_check check (credits_total >= 0),
  initial_grant_claimed boolean not null default false,
  language text not null default 'en' constraint users_language_check check (language in ('en', 'tr', 'es')),
  -- Null while the language is only the default: what the phone asks for in Accept-Language counts then.
  language_chosen_at timestamptz,
  theme_preference text not null default 'system'
    constraint users_theme_preference_check check (theme_preference in ('system', 'light', 'dark')),
  is_admin boolean not null default false,
  banned_at timestamptz,
  merged_into uuid constraint users_merged_into_fkey references users (id),
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- A row that nothing identifies could never be reached again.
  constraint users_identity_check check (
    email is not null or device_id is not null or apple_sub is not null
    or is_guest or merged_into is not null or deleted_at is not null),
  constraint users_merged_into_check check (merged_into is null or merged_into <> id)
);
-- Balances change often and are not indexed; room on the page keeps those updates inside it.
alter table users set (fillfactor = 80);
create index users_device_id_idx on users (device_id);
create index users_apple_sub_idx on users (apple_sub);
create index users_merged_into_idx on users (merged_into) where merged_into is not null;

create table models (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  category text not null default 'video',
  description text,
  cost_per_generation integer not null default 1
    constraint models_cost_per_generation_check check (cost_per_generation > 0),
  provider text not null default 'fal' constraint models_provider_check check (provider ~ '^[a-z][a-z0-9_]{1,30}$'),
  provider_model_id text,
  is_featured boolean not null default false,
  is_available boolean not null default true,
  is_active boolean not null default false,
  pricing_type text not null default 'per_generation'
    constraint models_pricing_type_check check (pricing_type in ('per_generation', 'per_second')),
  credits_per_second integer,
  required_fields jsonb not null default '{}'
    constraint models_required_fields_check check (jsonb_typeof(required_fields) = 'object'),
  has_audio boolean not null default false,
  -- The shipped app decodes this as an address: an empty text would fail its whole list.
  thumbnail_url text constraint models_thumbnail_url_check check (thumbnail_url <> ''),
  sunset_at timestamptz,
  replacement_model_id uuid constraint models_replacement_model_id_fkey references models (id) on delete set null,
  provider_cost numeric(10, 4) constraint models_provider_cost_check check (provider_cost >= 0),
  created_at timestamptz not null default now(),
  constraint models_pricing_check check (pricing_type = 'per_generation' or credits_per_second > 0)
);
create index models_provider_idx on models (provider);
create index models_featured_idx on models (is_featured) where is_featured;
create unique index models_one_active_idx on models (is_active) where is_active;

create table themes (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  description text,
  thumbnail_url text,
  prompt text not null default '',
  is_featured boolean not null default false,
  is_available boolean not null default true,
  -- A JSON null anywhere inside fails the shipped app's whole theme list.
  default_settings jsonb not null default '{}' constraint themes_default_settings_check check (
    jsonb_typeof(default_settings) = 'object' and not jsonb_path_exists(default_settings, '$.** ? (@ == null)')),
  created_at timestamptz not null default now()
);
