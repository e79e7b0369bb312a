-- The ceiling of a press and of a read: the least that PostgreSQL must do to keep the same promises. Its owner loads it into the
-- database under test; the users are those of the bench (their ids end in 100001 to 101000).
--   one press in a row for each user (row lock); a repeated key finds its stored answer; a price; the presses of the last hour
--   are counted; the balance cannot go below zero; job, ledger row and stored answer come in one commit
-- It knows no tokens, sessions, bans, ages, consents, themes, moderation or row-level security: nothing can be as cheap and be a product.
drop schema if exists ref cascade;
create schema ref;

create table ref.users (
  id uuid primary key,
  credits integer not null check (credits >= 0),
  tier text not null default 'free');
create table ref.models (
  id uuid primary key,
  cost integer not null,
  is_available boolean not null);
create table ref.jobs (
  job_id uuid primary key,
  user_id uuid not null references ref.users,
  model_id uuid not null references ref.models,
  prompt text not null,
  settings jsonb not null default '{}',
  status text not null default 'pending',
  credits_used integer not null,
  created_at timestamptz not null default now());
create index on ref.jobs (user_id, created_at desc);
create index on ref.jobs (created_at) where status = 'pending';
create table ref.ledger (
  seq bigint generated always as identity primary key,
  user_id uuid not null references ref.users,
  job_id uuid,
  change integer not null,
  reason text not null,
  balance_after integer not null,
  created_at timestamptz not null default now());
create index on ref.ledger (user_id, seq desc);
create unique index on ref.ledger (job_id) where reason = 'video_generation';
create table ref.idem (
  user_id uuid not null references ref.users,
  key uuid not null,
  request_hash bytea not null,
  response jsonb not null,
  status_code integer not null,
  expires_at timestamptz not null default now() + interval '24 hours',
  primary key (user_id, key));
create index on ref.idem (expires_at);

insert into ref.users (id, credits) select ('00000000-0000-4000-8000-000000' || n)::uuid, 1000000000 from generate_series(100001, 101000) n;
insert into ref.models values ('a0000000-0000-4000-8000-000000000001', 8, true);
insert into ref.jobs (job_id, user_id, model_id, prompt, status, credits_used)
select ('00000000-0000-7000-8002-000000' || n)::uuid, ('00000000-0000-4000-8000-000000' || n)::uuid, 'a0000000-0000-4000-8000-000000000001',
  'A paper boat on a quiet lake', 'completed', 8
from generate_series(100001, 101000) n;

create function ref.accept(p_user uuid, p_key uuid, p_request jsonb)
returns table (status_code integer, response jsonb, replayed boolean) language plpgsql as $$
#variable_conflict use_column
declare
  v_user ref.users;
  v_stored ref.idem;
  v_model ref.models;
  v_hash bytea := sha256(convert_to(p_request::text, 'UTF8'));
  v_presses integer;
  v_job uuid;
  v_balance integer;
  v_response jsonb;
begin
  select * into v_user from ref.users where id = p_user for no key update;
  select * into v_stored from ref.idem where user_id = p_user and key = p_key;
  if found then
    if v_stored.request_hash <> v_hash then
      raise exception 'the key stands for another request';
    end if;
    return query select v_stored.status_code, v_stored.response, true;
    return;
  end if;
  select * into v_model from ref.models where id = (p_request ->> 'model_id')::uuid and is_available;
  if not found then
    raise exception 'no such model';
  end if;
  select count(*) into v_presses
  from (select 1 from ref.jobs where user_id = p_user and created_at > now() - interval '1 hour' limit 100) pressed;
  if v_user.credits < v_model.cost then
    raise exception 'not enough credits';
  end if;
  v_job := gen_random_uuid();
  insert into ref.jobs (job_id, user_id, model_id, prompt, settings, credits_used)
  values (v_job, p_user, v_model.id, p_request ->> 'prompt', p_request -> 'settings', v_model.cost);
  update ref.users set credits = credits - v_model.cost where id = p_user returning credits into v_balance;
  insert into ref.ledger (user_id, job_id, change, reason, balance_after)
  values (p_user, v_job, -v_model.cost, 'video_generation', v_balance);
  v_response := jsonb_build_object('job_id', v_job, 'status', 'pending', 'credits_used', v_model.cost);
  insert into ref.idem (user_id, key, request_hash, response, status_code) values (p_user, p_key, v_hash, v_response, 200);
  return query select 200, v_response, false;
end
$$;

-- The least that a claim can be: the oldest come first, whoever they belong to and whatever they cost.
create function ref.claim(p_limit integer) returns setof uuid language sql as $$
  update ref.jobs set status = 'claimed'
  where job_id in (select job_id from ref.jobs where status = 'pending' order by created_at limit p_limit for no key update skip locked)
  returning job_id
$$;
analyze;
