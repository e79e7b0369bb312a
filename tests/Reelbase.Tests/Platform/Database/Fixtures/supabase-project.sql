-- A Supabase project as the former app planned it: its tables, the auth service's, the storage's and pg_cron's, with everything that had gone wrong in it.
-- {users} further users, with jobs and ledgers that add up, follow.
create schema auth; create schema storage; create schema cron;
create table auth.users (id uuid primary key, email text, is_anonymous boolean default true, created_at timestamptz default now());
create table auth.identities (id uuid primary key default gen_random_uuid(), provider_id text, user_id uuid references auth.users (id), identity_data jsonb, provider text);
create table auth.refresh_tokens (id bigserial primary key, token varchar(255), user_id varchar(255), parent varchar(255), session_id uuid, revoked boolean default false);
create table storage.objects (id uuid primary key default gen_random_uuid(), bucket_id text, name text, owner uuid, metadata jsonb, created_at timestamptz default now());
create table cron.job (jobid bigserial primary key, schedule text, command text, jobname text, active boolean default true);
create table public.users (
  id uuid primary key default gen_random_uuid(), email text, device_id text, apple_sub text, is_guest boolean default true, tier text default 'free',
  credits_remaining integer default 10, initial_grant_claimed boolean default false, language text default 'en', theme_preference text default 'system',
  is_admin boolean default false, auth_user_id uuid, favourite_colour text, created_at timestamp default now(), updated_at timestamp default now());
create table public.models (
  id uuid primary key default gen_random_uuid(), name text not null, category text, description text, cost_per_generation integer, pricing_type text, base_price numeric(10, 4),
  provider text, provider_model_id text, is_featured boolean default false, is_available boolean default true, is_active boolean default false, required_fields jsonb,
  thumbnail_url text, created_at timestamp default now());
create table public.themes (
  id uuid primary key default gen_random_uuid(), name text not null, description text, thumbnail_url text, prompt text not null, is_featured boolean default false,
  is_available boolean default true, default_settings jsonb, created_at timestamp default now());
create table public.video_jobs (
  job_id uuid primary key default gen_random_uuid(), user_id uuid, model_id uuid, prompt text not null, settings jsonb default '{}', status text default 'pending',
  video_url text, thumbnail_url text, credits_used integer, provider_job_id text, created_at timestamp default now(), completed_at timestamp);
create table public.quota_log (
  id uuid primary key default gen_random_uuid(), user_id uuid, job_id uuid, change integer not null, reason text not null, transaction_id text, created_at timestamp default now());
create table public.user_consents (id bigserial primary key, user_id uuid, kind text, version text, granted_at timestamptz default now());
create table public.favorites (id serial primary key, user_id uuid, note text);

insert into auth.users (id, email) values
  ('90000000-0000-4000-8000-000000000001', null), ('90000000-0000-4000-8000-000000000003', 'ada@example.com'), ('90000000-0000-4000-8000-000000000009', 'nobody@example.com');
insert into auth.identities (provider_id, user_id, identity_data, provider) values ('apple-verified', '90000000-0000-4000-8000-000000000003', '{"sub":"apple-verified"}', 'apple');
insert into auth.refresh_tokens (token, user_id, parent, session_id, revoked) values
  ('tok-old', '90000000-0000-4000-8000-000000000001', null, '91000000-0000-4000-8000-000000000001', true),
  ('tok-before', '90000000-0000-4000-8000-000000000001', 'tok-old', '91000000-0000-4000-8000-000000000001', true),
  ('tok-now', '90000000-0000-4000-8000-000000000001', 'tok-before', '91000000-0000-4000-8000-000000000001', false);
insert into cron.job (schedule, command, jobname) values ('0 3 * * *', 'delete from public.video_jobs where created_at < now() - interval ''7 days''', 'cleanup-old-videos');
insert into public.models (id, name, category, cost_per_generation, pricing_type, base_price, provider, provider_model_id, is_active, required_fields) values
  ('20000000-0000-4000-8000-000000000001', 'Sora 2', 'text_to_video', 4, 'per_second', 0.1, 'fal', 'fal-ai/sora-2/text-to-video', true,
   '{"requires_prompt":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":4,"options":[4,8,12]},"resolution":{"default":"720p","options":["720p"]}}}'),
  ('20000000-0000-4000-8000-000000000002', 'Veo 3.1 Fast', 'text_to_video', 4, 'per_second', 0.1, 'fal', 'fal-ai/veo3.1/fast', false,
   '{"requires_prompt":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":4,"options":[4,8,12]},"resolution":{"default":"720p","options":["720p"]}}}'),
  ('20000000-0000-4000-8000-000000000003', 'Uneven', 'text_to_video', 4, 'per_second', 0.125, 'fal', null, false, null);
insert into public.themes (id, name, prompt, default_settings) values ('30000000-0000-4000-8000-000000000001', 'Fine', 'A fine theme', '{"duration":8}');
insert into public.users (id, email, device_id, apple_sub, is_guest, tier, credits_remaining, initial_grant_claimed, language, is_admin, auth_user_id, favourite_colour, created_at) values
  ('10000000-0000-4000-8000-000000000001', null, '7D3C0C9E-6A53-4F0E-9A8E-2F1F0B7C1A11', null, true, 'premium', 6, true, 'tr', true, '90000000-0000-4000-8000-000000000001', 'blue', '2025-01-01 10:00:00'),
  ('10000000-0000-4000-8000-000000000002', null, '7d3c0c9e-6a53-4f0e-9a8e-2f1f0b7c1a11', null, true, null, 2, null, null, false, null, null, 'infinity'),
  ('10000000-0000-4000-8000-000000000003', 'ada@example.com', null, 'apple-said', false, 'premium', 60, true, 'es', false, '90000000-0000-4000-8000-000000000003', null, '2025-03-01 10:00:00');
insert into public.video_jobs (job_id, user_id, model_id, prompt, status, video_url, thumbnail_url, credits_used, created_at) values
  ('40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 'Done', 'completed',
   'https://project.supabase.co/storage/v1/object/public/videos/10000000-0000-4000-8000-000000000001/done.mp4',
   'https://project.supabase.co/storage/v1/object/public/thumbnails/10000000-0000-4000-8000-000000000001/done%20small.jpg', 4, '2025-01-02 09:00:00'),
  ('40000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000003', null, 'Left hanging', 'processing', null, null, 4, '2025-03-02 09:00:00'),
  ('40000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 'Never refunded', 'failed', null, null, 4, '2025-03-03 09:00:00'),
  ('40000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 'Refunded twice', 'failed', null, null, 4, '2025-03-04 09:00:00'),
  ('40000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-00000000dead', '20000000-0000-4000-8000-000000000001', 'Nobody''s', 'completed', 'https://v3.fal.media/files/x.mp4', null, 4, '2025-03-04 09:00:00'),
  ('40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 'Gone', 'completed',
   'https://project.supabase.co/storage/v1/object/public/videos/gone.mp4', null, null, '2025-03-05 09:00:00');
insert into public.quota_log (id, user_id, job_id, change, reason, transaction_id, created_at) values
  ('50000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', null, 10, 'initial_grant', null, '2025-01-01 10:00:00'),
  ('50000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', '40000000-0000-4000-8000-000000000001', -4, 'generation', null, '2025-01-02 09:00:00'),
  ('50000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000003', null, 25, 'purchase', '2000000000000001', '2025-03-01 11:00:00'),
  ('50000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000003', null, 25, 'purchase', '2000000000000001', '2025-03-01 11:00:01'),
  ('50000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000002', -4, 'generation', null, '2025-03-02 09:00:00'),
  ('50000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000003', -4, 'generation', null, '2025-03-03 09:00:00'),
  ('50000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000004', -4, 'generation', null, '2025-03-04 09:00:00'),
  ('50000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000004', 4, 'refund', null, '2025-03-04 09:01:00'),
  ('50000000-0000-4000-8000-000000000009', '10000000-0000-4000-8000-000000000003', '40000000-0000-4000-8000-000000000004', 4, 'admin_refund: sorry', null, '2025-03-04 09:02:00'),
  ('50000000-0000-4000-8000-00000000000a', '10000000-0000-4000-8000-000000000003', null, 2, 'goodwill', null, '2025-03-05 09:00:00'),
  ('50000000-0000-4000-8000-00000000000b', '10000000-0000-4000-8000-000000000003', null, 0, 'generation', null, '2025-03-05 09:00:01'),
  ('50000000-0000-4000-8000-00000000000c', '10000000-0000-4000-8000-00000000dead', null, 5, 'initial_grant', null, '2025-03-05 09:00:01');
insert into public.user_consents (user_id, kind, version) values ('10000000-0000-4000-8000-000000000003', 'ai_processing', '1');
insert into public.favorites (user_id, note) values ('10000000-0000-4000-8000-000000000001', 'kept');

-- The crowd: every id can be computed, so that two imports of it can be compared.
insert into public.users (id, device_id, credits_remaining, initial_grant_claimed, auth_user_id, created_at)
select md5('user ' || n)::uuid, 'stable-id-' || n, case when n % 100 = 0 then 7 else 10 - 4 + case when n % 3 = 0 then 4 else 0 end end, true, md5('auth ' || n)::uuid, timestamp '2025-05-01' + n * interval '1 minute'
from generate_series(1, {users}) n;
insert into public.video_jobs (job_id, user_id, model_id, prompt, status, credits_used, created_at, completed_at)
select md5('job ' || n)::uuid, md5('user ' || n)::uuid, '20000000-0000-4000-8000-000000000002', 'A video of the crowd, number ' || n, case when n % 3 = 0 then 'failed' else 'completed' end, 4,
  timestamp '2025-06-01' + n * interval '1 minute', timestamp '2025-06-01' + n * interval '1 minute'
from generate_series(1, {users}) n;
insert into public.quota_log (id, user_id, job_id, change, reason, created_at)
select md5('grant ' || n)::uuid, md5('user ' || n)::uuid, null, 10, 'initial_grant', timestamp '2025-05-01' + n * interval '1 minute' from generate_series(1, {users}) n
union all
select md5('charge ' || n)::uuid, md5('user ' || n)::uuid, md5('job ' || n)::uuid, -4, 'generation', timestamp '2025-06-01' + n * interval '1 minute' from generate_series(1, {users}) n
union all
select md5('refund ' || n)::uuid, md5('user ' || n)::uuid, md5('job ' || n)::uuid, 4, 'generation_refund', timestamp '2025-06-02' + n * interval '1 minute' from generate_series(1, {users}) n where n % 3 = 0;
insert into auth.refresh_tokens (token, user_id, session_id) select 'crowd-' || n, md5('auth ' || n)::uuid, md5('session ' || n)::uuid from generate_series(1, {users}) n;
