-- The database that was there before Reelbase, with live rows and all that had gone wrong in it.
create table users (
  id uuid primary key default gen_random_uuid(), email text, device_id text, apple_sub text,
  is_guest boolean default true, tier text default 'free' check (tier in ('free', 'premium')),
  credits_remaining integer default 10, initial_grant_claimed boolean default false, language text default 'en',
  theme_preference text default 'system', is_admin boolean default false, auth_user_id uuid,
  created_at timestamp default now(), updated_at timestamp default now());
create table models (
  id uuid primary key default gen_random_uuid(), name text not null, category text, description text,
  cost_per_generation integer, provider text, is_featured boolean default false, is_active boolean default false,
  required_fields jsonb, thumbnail_url text, created_at timestamp default now());
create table themes (
  id uuid primary key default gen_random_uuid(), name text not null, description text, thumbnail_url text, prompt text not null,
  is_featured boolean default false, is_available boolean default true, default_settings jsonb, created_at timestamp default now());
create table video_jobs (
  job_id uuid primary key default gen_random_uuid(), user_id uuid references users (id) on delete cascade,
  model_id uuid references models (id), prompt text not null, settings jsonb default '{}',
  status text default 'pending' check (status in ('pending', 'processing', 'completed', 'failed')),
  video_url text, thumbnail_url text, credits_used integer, created_at timestamp default now(), completed_at timestamp);
create table quota_log (
  id uuid primary key default gen_random_uuid(), user_id uuid references users (id), job_id uuid,
  change integer not null, reason text not null,
  transaction_id text, -- should be unique
  created_at timestamp default now());
create index users_device_id_idx on users (device_id);
alter table users enable row level security;
create policy "own row" on users for all using (id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid);
create function deduct_credits(user_uuid uuid, amount integer) returns boolean language sql as
  'update users set credits_remaining = credits_remaining - amount where id = user_uuid returning true';
create table favorites (id serial primary key, user_id uuid not null references users (id) on delete cascade, note text);

insert into users (id, email, device_id, apple_sub, is_guest, tier, credits_remaining, initial_grant_claimed, language, auth_user_id, created_at) values
  ('10000000-0000-4000-8000-000000000001', null, '7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11', null, true, 'free', 6, true, 'tr', '90000000-0000-4000-8000-000000000001', '2025-01-01 10:00:00'),
  ('10000000-0000-4000-8000-000000000002', null, '7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a11', null, true, null, 2, null, null, null, '2025-02-01 10:00:00'),
  ('10000000-0000-4000-8000-000000000003', 'ada@example.com', null, 'apple-1', false, 'premium', 60, true, 'es', null, '2025-03-01 10:00:00.123456'),
  ('10000000-0000-4000-8000-000000000004', null, null, null, null, null, null, null, null, null, null),
  ('10000000-0000-4000-8000-000000000005', null, 'stable-id-17', null, true, 'free', 10, true, 'en', null, '2025-04-01 10:00:00');
insert into models (id, name, category, cost_per_generation, provider, is_featured, is_active, required_fields, thumbnail_url) values
  ('20000000-0000-4000-8000-000000000001', 'Sora 2', 'text_to_video', 4, 'FAL', true, true, '{"settings":{}}', ''),
  ('20000000-0000-4000-8000-000000000002', 'Second active', null, null, null, null, true, null, null);
insert into themes (id, name, prompt, default_settings) values
  ('30000000-0000-4000-8000-000000000001', 'Fine', 'A fine theme', '{"duration":8}'),
  ('30000000-0000-4000-8000-000000000002', 'Nulls inside', 'A poisoned theme', '{"duration":4,"resolution":null}');
insert into video_jobs (job_id, user_id, model_id, prompt, status, video_url, credits_used, created_at, completed_at) values
  ('40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 'Done', 'completed', 'https://old.example/v.mp4', 4, '2025-01-02 09:00:00', null),
  ('40000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000003', null, 'Left hanging', 'processing', null, 4, '2025-03-02 09:00:00', null),
  ('40000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 'Charged twice', 'failed', null, null, '2025-03-03 09:00:00', null),
  ('40000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', 'No status', null, null, 4, '2025-02-03 09:00:00', null);
insert into quota_log (id, user_id, job_id, change, reason, transaction_id, created_at) values
  ('50000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', -4, 'generation', null, '2025-01-02 09:00:00'),
  ('50000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', null, 10, 'initial_grant', null, '2025-01-01 10:00:00'),
  ('50000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000003', null, 25, 'purchase', '2000000000000001', '2025-03-01 11:00:00'),
  ('50000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000003', null, 25, 'purchase', '2000000000000001', '2025-03-01 11:00:01'),
  ('50000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000002', -4, 'generation', null, '2025-03-02 09:00:00'),
  ('50000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000003', -4, 'generation', null, '2025-03-03 09:00:00'),
  ('50000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000003', -4, 'generation', null, '2025-03-03 09:00:01'),
  ('50000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000003', null, 5, 'admin_refund: sorry for the wait', null, '2025-03-04 09:00:00'),
  ('50000000-0000-4000-8000-000000000009', '10000000-0000-4000-8000-000000000003', '4fffffff-0000-4000-8000-000000000003', 2, 'goodwill', null, '2025-03-05 09:00:00'),
  ('50000000-0000-4000-8000-00000000000a', '10000000-0000-4000-8000-000000000002', '40000000-0000-4000-8000-000000000004', -4, 'generation', null, '2025-02-03 09:00:00'),
  ('50000000-0000-4000-8000-00000000000b', '10000000-0000-4000-8000-000000000002', null, 0, 'generation', null, '2025-02-03 09:00:01');
insert into favorites (user_id, note) values ('10000000-0000-4000-8000-000000000001', 'kept');
