-- A version 7 uuid (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then random bits. Time-ordered, so new rows
-- land together in their indexes.
create or replace function internal.uuid_v7() returns uuid language sql volatile as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
      52, 1), 53, 1), 'hex')::uuid
$$;
comment on function internal.uuid_v7() is 'A time-ordered version 7 uuid (RFC 9562).';
