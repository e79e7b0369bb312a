-- Keeps what a provider says that a submission has cost, once; later words are ignored. p_micros: dollars said by the provider itself; null: p_units times what a
-- unit of the model costs (provider_unit_cost, else provider_cost with the surcharges of what was chosen). p_credit_micros: what a credit brings; a job that cost
-- more than it brought raises an alert, once a day for its model. Nothing of this is charged to anybody: the price was fixed when the job was accepted.
create or replace function record_provider_bill(p_submission_id bigint, p_units numeric, p_micros bigint, p_credit_micros bigint) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
  v_model models;
  v_submission job_submissions;
  v_micros bigint;
  v_kept integer;
begin
  -- The job first and its submission second, as everywhere: two orders would deadlock.
  select * into v_job from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  select * into v_submission from job_submissions where id = p_submission_id for no key update;
  if v_job.job_id is null or v_submission.billed_micros is not null then
    return false;
  end if;
  select * into v_model from models where id = v_job.model_id;
  v_micros := coalesce(p_micros, round(p_units * 1000000 * coalesce(v_model.provider_unit_cost,
    case when v_model.pricing_type = 'per_second' then v_model.provider_cost * (100 + surcharge_percent(v_model.required_fields, v_job.settings)) / 100.0 end))::bigint);
  if v_micros is null then
    -- Units of which nobody knows the price: kept, and not asked for again.
    update job_submissions set billed_units = p_units, bill_after = null where id = p_submission_id;
    return false;
  end if;
  update job_submissions set billed_units = p_units, billed_micros = v_micros, bill_after = null where id = p_submission_id;
  if v_submission.attempt = v_job.attempt then
    update video_jobs set provider_cost_micros = v_micros where job_id = v_job.job_id;
  end if;
  v_kept := v_job.credits_charged - v_job.credits_returned;
  insert into model_margins as t (day, provider, model_name, billed, credits, billed_micros, expected_micros)
  values ((clock_timestamp() at time zone 'UTC')::date, v_job.provider, coalesce(v_job.model_name, ''), 1,
    case when v_submission.attempt = v_job.attempt then v_kept else 0 end, v_micros, v_submission.expected_cost_micros)
  on conflict on constraint model_margins_pkey do update set billed = t.billed + 1, credits = t.credits + excluded.credits,
    billed_micros = t.billed_micros + excluded.billed_micros, expected_micros = t.expected_micros + excluded.expected_micros;
  if v_kept > 0 and v_submission.attempt = v_job.attempt and v_micros > v_kept * p_credit_micros then
    perform raise_alert('cost_above_price', coalesce(v_job.model_id::text, v_job.provider) || ':' || (clock_timestamp() at time zone 'UTC')::date,
      format('%s costs more than it brings: %s billed %s dollars for a job of %s credits, which bring %s at %s each (Generation:DollarsPerCredit). Expected were %s.',
        coalesce(v_job.model_name, v_job.provider), v_job.provider, round(v_micros / 1000000.0, 4), v_kept, round(v_kept * p_credit_micros / 1000000.0, 4),
        round(p_credit_micros / 1000000.0, 4), round(v_submission.expected_cost_micros / 1000000.0, 4)));
  end if;
  return true;
end
$$;
comment on function record_provider_bill(bigint, numeric, bigint, bigint) is
  'Keeps what a submission has cost, once, and adds it to its model''s margin; alerts when it is more than the job brought. False: known already, or its price is not.';
