-- Events as they came, models that are paused because their results come from a host that is not allowed, and what a
-- provider's models take of a prompt.

-- The bytes that were signed. They go together with what was read of them (payload): a trigger removes them, whoever
-- removes the payload, and this rule keeps anybody from leaving them behind. No row has any yet, so none is checked.
alter table webhook_deliveries add column raw_body bytea;
alter table webhook_deliveries add constraint webhook_deliveries_raw_body_check check (raw_body is null or payload is not null) not valid;

-- Why a model is switched off by itself, and since when; both go when somebody switches it on.
alter table models
  add column paused_at timestamptz,
  add column paused_reason text constraint models_paused_reason_check check (char_length(paused_reason) between 1 and 1000),
  add constraint models_paused_check check ((paused_at is null) = (paused_reason is null) and (paused_reason is null or not is_available));

-- Results of a model, since its last video that could be fetched, that lie on a host which is not allowed; one for each user.
create table foreign_results (
  job_id uuid primary key constraint foreign_results_job_id_fkey references video_jobs (job_id) on delete cascade,
  model_id uuid not null constraint foreign_results_model_id_fkey references models (id) on delete cascade,
  host text not null constraint foreign_results_host_check check (char_length(host) <= 255),
  created_at timestamptz not null default now()
);
create index foreign_results_model_idx on foreign_results (model_id);

-- Runway counts the prompt in UTF-16 units and refuses more than a thousand.
update models set required_fields = required_fields || '{"prompt_max_utf16":1000}'
where provider = 'runway' and not required_fields ? 'prompt_max_utf16';
