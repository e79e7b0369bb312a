-- What a provider says that a submission has cost, beside what was expected. bill_after: when its result is asked for what was billed, where the event that brought
-- the result does not say it. Null for submissions of before: nobody asks about them any more.
alter table job_submissions
  add column billed_units numeric(18, 6),
  add column billed_micros bigint,
  add column bill_after timestamptz,
  add column bill_attempt integer not null default 0;
-- Without reading the whole table under its lock; rows of before have neither.
alter table job_submissions
  add constraint job_submissions_billed_units_check check (billed_units >= 0) not valid,
  add constraint job_submissions_billed_micros_check check (billed_micros >= 0) not valid;
comment on column job_submissions.billed_units is 'Units that the provider has billed: seconds at fal, credits at Runway.';
comment on column job_submissions.billed_micros is 'Millionths of a dollar that the provider has billed for it, once it says so.';

-- What a model brought and cost in a day, added up as bills come: credits that stayed charged when the bill came, and what was billed.
create table model_margins (
  day date not null,
  provider text not null,
  model_name text not null,
  billed integer not null default 0,
  credits bigint not null default 0,
  billed_micros bigint not null default 0,
  expected_micros bigint not null default 0,
  constraint model_margins_pkey primary key (day, provider, model_name),
  constraint model_margins_check check (billed >= 0 and credits >= 0 and billed_micros >= 0 and expected_micros >= 0)
);
