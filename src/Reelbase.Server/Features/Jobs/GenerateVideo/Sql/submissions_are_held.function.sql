-- Whether this database was restored (admin restore writes the setting before the restored PostgreSQL starts) and mark_jobs_after_restore
-- has not run since: until then nothing is submitted, because what was submitted after the restored moment is not known here.
create or replace function submissions_are_held() returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce(current_setting('reelbase.restored_at', true), '') <> ''
    and current_setting('reelbase.restored_at', true) is distinct from (select i.restore_handled from installation i)
$$;
comment on function submissions_are_held() is 'Whether a restore still has to be dealt with before anything is submitted.';
