-- The grant's turn is fenced, and a grant that cannot be finished holds up nobody.

alter table device_grants
  -- When we last asked Apple to set bit0 without hearing how that ended: a bit that is found set afterwards may be our own.
  add column bit_attempted_at timestamptz;

-- Only an answer that is stored and not yet acted on forbids a second grant in progress: after bit_set Apple itself says "given".
drop index device_grants_one_open_idx;
create unique index device_grants_one_open_idx on device_grants ((true)) where stage = 'queried';
-- Serves: was another grant given since Apple's answer to this one was lost (record_device_answer).
create index device_grants_granted_idx on device_grants (decided_at) where stage = 'granted';
