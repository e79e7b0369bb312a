-- The provider works again. Cheap when it never stopped: no row is written. What shows how much: an answer ends an
-- unreachable provider's outage; an accepted submission ends any; a good probe cannot see an empty balance, so while
-- that is fresh it only lets a job try.
create or replace function record_provider_answer(p_provider text, p_evidence text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update provider_states set fault = null, detail = null, failing_since = null, paused_until = null, updated_at = clock_timestamp()
  where provider = p_provider and failing_since is not null
    and (fault = 'unreachable' or p_evidence = 'submission'
      or (p_evidence = 'probe' and failing_since < clock_timestamp() - interval '10 minutes'));
  return found;
end
$$;
comment on function record_provider_answer(text, text) is
  'Ends a provider''s outage if the evidence (answer, probe, submission) shows it; true when it did.';
