-- What Apple says about a token (accepted, refused) or that it could not be heard (unknown). False when the question is no longer the caller's: whoever
-- was frozen past their lease records nothing. A refused token counts against its address and not against the device, whose true phone comes with another.
create or replace function record_device_verdict(p_question_id uuid, p_leased_by text, p_verdict text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_question device_questions;
begin
  update device_questions set verdict = p_verdict, decided_at = clock_timestamp(), leased_by = null, lease_until = null
  where id = p_question_id and leased_by = p_leased_by and verdict is null returning * into v_question;
  if not found then
    return false;
  end if;
  if p_verdict = 'refused' and v_question.network is not null then
    perform note_device_failure(v_question.network);
  end if;
  update device_checks set updated_at = now(),
    success_count = success_count + (p_verdict = 'accepted')::integer, outage_count = outage_count + (p_verdict = 'unknown')::integer
  where device_id = v_question.device_hash;
  return true;
end
$$;
comment on function record_device_verdict(uuid, text, text) is
  'Records accepted, refused or unknown for a question that is in flight; false when it is no longer the caller''s.';
