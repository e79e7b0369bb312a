-- The server's limits that operators may change while everything runs, by their names in the configuration, with the configuration's bounds.
create or replace function internal.app_setting_limits() returns table (key text, min integer, max integer)
language sql immutable set search_path = internal, public, pg_temp as $$
  values ('Generation:GuestPerWindow', -1, 1000000), ('Generation:MemberPerWindow', -1, 1000000), ('Generation:PremiumPerWindow', -1, 1000000),
    ('Generation:GuestsPerAddressPerWindow', -1, 1000000), ('Generation:LowCreditsBelow', 0, 1000000), ('Devices:NewDevicesPerWindow', -1, 1000000), ('Purchases:FailedClaimsPerWindow', -1, 1000000),
    ('PromoCodes:MissesPerWindow', -1, 1000000), ('PromoCodes:MissesPerAddressPerWindow', -1, 1000000),
    ('Uploads:PerWindow', -1, 1000000), ('Uploads:AddressPerWindow', -1, 1000000)
$$;
comment on function internal.app_setting_limits() is 'The server''s limits that app settings can change, with their bounds. Internal to the app settings.';
