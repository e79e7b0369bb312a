-- What a device-check begins with, in one transaction: whether Apple has to be asked about this token (begin_device_question), and when nobody has to
-- (outcome none: nobody is known by that id), whom it opens (open_device without a verdict). A flood of new devices pays for one commit that way instead of two.
create or replace function try_open_device(
  p_device_id text, p_device_token text, p_ip inet, p_questions_limit integer, p_question_window_seconds integer, p_verdict_seconds integer,
  p_leased_by text, p_lease_seconds integer, p_new_devices_limit integer, p_window_seconds integer, p_risk jsonb, p_key jsonb)
returns table (outcome text, question_id uuid, user_id uuid, is_new boolean, grant_id uuid, is_verified boolean,
  rate_limit integer, rate_remaining integer, rate_reset_at timestamptz, refusal text, joined uuid[])
-- As in note_device_opening: a plan that is made while the tables are small would read the whole of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
begin
  select q.outcome, q.question_id into outcome, question_id
  from begin_device_question(p_device_id, p_device_token, p_ip, p_questions_limit, p_question_window_seconds, p_verdict_seconds, p_leased_by, p_lease_seconds) q;
  if outcome = 'none' then
    select o.user_id, o.is_new, o.grant_id, o.is_verified, o.rate_limit, o.rate_remaining, o.rate_reset_at, o.refusal, o.joined
    into user_id, is_new, grant_id, is_verified, rate_limit, rate_remaining, rate_reset_at, refusal, joined
    from open_device(p_device_id, p_device_token, p_ip, null::text, false, p_new_devices_limit, p_window_seconds, p_risk, p_key) o;
  end if;
  return next;
end
$$;
comment on function try_open_device(text, text, inet, integer, integer, integer, text, integer, integer, integer, jsonb, jsonb) is
  'begin_device_question, and open_device without a verdict when its outcome is none. Raises ERR_4004.';
