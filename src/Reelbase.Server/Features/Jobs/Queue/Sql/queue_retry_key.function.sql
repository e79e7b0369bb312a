-- The key of a job that came back: when it is due. Below zero, apart from every stamp, so that the index of a user's stamped jobs has none of these.
create or replace function internal.queue_retry_key(p_due_at timestamptz) returns bigint language sql immutable parallel safe as $$
  select floor(extract(epoch from p_due_at) * 1000000)::bigint - 4611686018427387904
$$;
comment on function internal.queue_retry_key(timestamptz) is 'The negative key of a job in a retry lane: microseconds since 1970, less 2^62.';
