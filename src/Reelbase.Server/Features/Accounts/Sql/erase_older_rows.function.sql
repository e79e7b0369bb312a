-- What an account left in the tables that an upgrade set aside (before_reelbase) goes with it: every row with one of its ids in a column or
-- inside JSON, and where a table knows no ids at all, every row with one of its names (device id, also by its hash, e-mail, Apple id). No two old databases
-- have the same tables, so columns are found by type. Rows that others refer to go once those have gone.
create or replace function internal.erase_older_rows(p_ids uuid[]) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_schema constant text := 'before_reelbase';
  c_max_passes constant integer := 10;
  v_ids uuid[];
  v_found uuid[];
  v_names text[];
  v_more text[];
  v_table record;
  v_rule text;
  v_is_blocked boolean;
begin
  if to_regnamespace(c_schema) is null then
    return;
  end if;
  select p_ids || coalesce(array_agg(j.job_id), '{}') into v_ids from video_jobs j where j.user_id = any (p_ids);
  select array_agg(distinct n) into v_names from users u, unnest(array[u.email, u.device_id, u.apple_sub]) n where u.id = any (p_ids) and n <> '';
  if to_regclass(c_schema || '.users') is not null then
    -- The old row knows the person by more: the sign-in's own id, and a device id as it was written.
    execute format($q$
      select array_agg(distinct v.value::uuid) filter (where v.value ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' and v.key <> 'device_id'),
        array_agg(distinct v.value) filter (where v.key in ('email', 'device_id', 'apple_sub') and v.value <> '')
      from %I.users t, jsonb_each_text(to_jsonb(t)) v where t.id::text = any ($1::text[])$q$, c_schema)
      into v_found, v_more using p_ids;
    v_ids := v_ids || coalesce(v_found, '{}');
    v_names := coalesce(v_names, '{}') || coalesce(v_more, '{}');
  end if;
  for v_pass in 1..c_max_passes loop
    v_is_blocked := false;
    for v_table in
      select c.oid, c.relname,
        bool_or(a.atttypid = 'uuid'::regtype or a.attname in ('user_id', 'job_id')) as has_ids
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = to_regnamespace(c_schema) and c.relkind in ('r', 'p') group by c.oid, c.relname order by c.relname
    loop
      select string_agg(
          case when a.atttypid = 'uuid'::regtype then format('t.%I = any ($1)', a.attname)
            when a.atttypid in ('json'::regtype, 'jsonb'::regtype)
              then format('exists (select from unnest($1) n where position(n::text in lower(t.%I::text)) > 0)', a.attname)
            else format('t.%1$I = any ($1::text[])', a.attname)
              || case when v_table.has_ids then '' else format(' or t.%1$I = any ($2) or device_id_hash(t.%1$I) = any ($2)', a.attname) end end, ' or ')
        into v_rule
      from pg_attribute a
      where a.attrelid = v_table.oid and a.attnum > 0 and not a.attisdropped
        and a.atttypid in ('uuid'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text'::regtype, 'varchar'::regtype);
      continue when v_rule is null;
      begin
        execute format('delete from %I.%I t where %s', c_schema, v_table.relname, v_rule) using v_ids, v_names;
      exception when foreign_key_violation then
        if v_pass = c_max_passes then
          raise;
        end if;
        v_is_blocked := true;
      end;
    end loop;
    exit when not v_is_blocked;
  end loop;
end
$$;
comment on function internal.erase_older_rows(uuid[]) is
  'Removes what an account left in before_reelbase, the tables that an upgrade set aside. Internal to erase_account.';
