-- Whoever writes a setting: it is one that app_setting_fault() finds nothing wrong with.
create or replace function internal.check_app_setting() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_fault jsonb := app_setting_fault(new.key, new.value);
begin
  if v_fault is not null then
    perform raise_error('ERR_4000', jsonb_build_object('field', 'settings.' || left(new.key, 64)) || v_fault);
  end if;
  return new;
end
$$;
comment on function internal.check_app_setting() is 'Trigger: a setting is a flag within its bounds or a limit within its own.';
drop trigger if exists app_settings_check on app_settings;
create trigger app_settings_check before insert or update on app_settings for each row execute function internal.check_app_setting();

-- Writers come one after another, so that what they bring together is counted together.
create or replace function internal.line_up_app_settings() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('reelbase:app_settings', 0));
  return null;
end
$$;
comment on function internal.line_up_app_settings() is 'Trigger: statements that write settings come one after another.';
drop trigger if exists app_settings_line on app_settings;
create trigger app_settings_line before insert or update on app_settings for each statement execute function internal.line_up_app_settings();

create or replace function internal.bound_app_settings() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if (select count(*) > 100 or sum(octet_length(key) + octet_length(value::text)) > 65536 from app_settings) then
    perform raise_error('ERR_4000', '{"field":"settings","reason":"too_many","max":100,"max_bytes":65536}');
  end if;
  return null;
end
$$;
comment on function internal.bound_app_settings() is 'Trigger: all settings together stay within 100 keys and 64 KiB.';
drop trigger if exists app_settings_bound on app_settings;
create trigger app_settings_bound after insert or update on app_settings for each statement execute function internal.bound_app_settings();
