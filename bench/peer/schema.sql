-- The tables of the flow that a press is compared with, and its one function.
drop schema if exists peer cascade;
create schema peer;
create table peer.users (
  id uuid primary key,
  credits_remaining integer not null default 0 check (credits_remaining >= 0),
  tier text not null default 'free',
  updated_at timestamptz not null default now());
create table peer.models (
  id uuid primary key,
  name text not null,
  provider_model_id text not null,
  cost integer not null,
  is_available boolean not null default true);
create table peer.video_jobs (
  job_id uuid primary key,
  user_id uuid not null references peer.users,
  model_id uuid not null references peer.models,
  prompt text not null,
  settings jsonb not null default '{}',
  status text not null default 'pending',
  credits_used integer not null,
  provider_job_id text,
  created_at timestamptz not null default now());
create index on peer.video_jobs (user_id, created_at desc);
create index on peer.video_jobs (status, created_at);
create index on peer.video_jobs (provider_job_id);
create table peer.quota_log (
  id bigint generated always as identity primary key,
  user_id uuid not null references peer.users,
  change integer not null,
  reason text not null,
  balance_after integer not null,
  created_at timestamptz not null default now());
create index on peer.quota_log (user_id, created_at desc);
create table peer.idempotency_log (
  user_id uuid not null references peer.users,
  key uuid not null,
  request_hash bytea not null,
  response jsonb not null,
  status_code integer not null,
  expires_at timestamptz not null default now() + interval '24 hours',
  primary key (user_id, key));
create index on peer.idempotency_log (expires_at);

create function peer.deduct_credits(p_user_id uuid, p_amount integer, p_reason text default 'video_generation') returns jsonb
language plpgsql as $$
declare
  v_balance integer;
begin
  select credits_remaining into v_balance from peer.users where id = p_user_id for update;
  if not found then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;
  if v_balance < p_amount then
    return jsonb_build_object('success', false, 'error', 'Insufficient credits', 'current_credits', v_balance, 'required_credits', p_amount);
  end if;
  update peer.users set credits_remaining = credits_remaining - p_amount, updated_at = now() where id = p_user_id returning credits_remaining into v_balance;
  insert into peer.quota_log (user_id, change, reason, balance_after) values (p_user_id, -p_amount, p_reason, v_balance);
  return jsonb_build_object('success', true, 'credits_remaining', v_balance);
end
$$;

insert into peer.users (id, credits_remaining) select ('00000000-0000-4000-8000-000000' || n)::uuid, 1000000000 from generate_series(100001, 101000) n;
insert into peer.models values ('a0000000-0000-4000-8000-000000000001', 'Veo 3.1 Fast', 'fal-ai/veo3.1/fast', 8, true);
insert into peer.video_jobs (job_id, user_id, model_id, prompt, status, credits_used)
select ('00000000-0000-7000-8002-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid, 'a0000000-0000-4000-8000-000000000001',
  'A paper boat on a quiet lake', 'completed', 8
from generate_series(100001, 101000) n;
analyze peer.users, peer.models, peer.video_jobs;
