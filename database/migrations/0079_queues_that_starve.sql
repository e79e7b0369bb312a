-- How long a model's videos of the last day took, from submission to the end; null: none was made. Kept by complete_video_job.
alter table models add column usual_seconds real constraint models_usual_seconds_check check (usual_seconds >= 0),
  add column slow_seconds real constraint models_slow_seconds_check check (slow_seconds >= 0),
  add column seconds_measured_at timestamptz constraint models_seconds_measured_at_check check (isfinite(seconds_measured_at));
-- How many jobs the provider takes at once, as the worker that claimed last was configured.
alter table provider_states add column places integer constraint provider_states_places_check check (places >= 0);
