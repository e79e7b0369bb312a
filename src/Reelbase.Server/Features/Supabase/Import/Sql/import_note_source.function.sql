-- Notes what the source is now, {"users": {"rows": 3, "fingerprint": "..."}, ...}, and answers what is another than at the last start. Rows may have come before the
-- place that was reached, so the next batches begin at the first user again; whoever is here already is passed over. With p_dry_run it only compares.
create or replace function internal.import_note_source(p_kind text, p_state jsonb, p_dry_run boolean) returns table (code text, line text)
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_before jsonb;
  v_is_changed boolean;
begin
  select i.source_state into v_before from imports i where i.kind = p_kind for update;
  select exists (select from jsonb_each(v_before) b where p_state -> b.key is distinct from b.value) into v_is_changed;
  if not p_dry_run then
    update imports i set source_state = p_state, last_user = case when v_is_changed then '' else i.last_user end where i.kind = p_kind;
  end if;
  if v_is_changed then
    return query
      select 'source_changed', format('%s: %s rows (fingerprint %s) at the last start and %s (%s) now; users that are here already stay as they were carried, new ones are carried',
        b.key, b.value ->> 'rows', b.value ->> 'fingerprint', coalesce(p_state -> b.key ->> 'rows', 'no'), coalesce(p_state -> b.key ->> 'fingerprint', 'none'))
      from jsonb_each(v_before) b where p_state -> b.key is distinct from b.value order by b.key;
  end if;
end
$$;
comment on function internal.import_note_source(text, jsonb, boolean) is 'Notes what the source of an import is and answers what has changed. For the import, which runs as the owner.';
