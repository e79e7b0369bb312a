grant execute on function claim_alerts(text, integer, integer), claim_alerts(text, integer, integer, integer), finish_alerts(bigint[], text, text, double precision, integer),
  raise_activity(integer, integer, integer) to reelbase_worker;
