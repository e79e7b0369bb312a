-- A denial is about the phone whose token Apple was asked about, and not about the device id that came with it: another token of the same id is asked about again.
alter table device_grants
  -- SHA-256 of the token; null in rows of earlier releases.
  add column token_hash bytea,
  -- Whether the call with this token made the guest: then nobody else has been there whom the phone's ban could lock out.
  add column made_guest boolean not null default false,
  -- SHA-256 of address and device id, which bounds how often marked phones are asked about.
  add column origin bytea;
