-- Switches off models whose vendor has ended them. When one of them was the active model its replacement becomes active in
-- the same transaction. p_alert_days before that day the operator is notified. Answers the models that were switched off.
create or replace function retire_models(p_alert_days integer) returns table (name text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_model models;
begin
  perform raise_alert('model_sunset', m.id || ':' || m.sunset_at::date,
    format('%s ends on %s UTC%s.', m.name, to_char(m.sunset_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'),
      coalesce('; ' || r.name || ' replaces it', '; it has no replacement (replacement_model_id)')))
  from models m left join models r on r.id = m.replacement_model_id
  where m.is_available and m.sunset_at <= now() + make_interval(days => p_alert_days);
  for v_model in select * from models m where m.sunset_at <= now() and (m.is_available or m.is_active) for update loop
    update models m set is_available = false, is_active = false where m.id = v_model.id;
    if v_model.is_active then
      update models m set is_active = true
      where m.id = v_model.replacement_model_id and m.is_available and (m.sunset_at is null or m.sunset_at > now());
      if not found then
        perform raise_alert('model_sunset', v_model.id || ':no active model',
          format('%s was the active model and has ended without a replacement that is available: requests that name only a theme fail.', v_model.name));
      end if;
    end if;
    name := v_model.name;
    return next;
  end loop;
  -- Shipped apps read the table itself, which has to say the same as get_themes.
  update themes t set is_featured = false where t.is_featured and t.featured_until <= now();
end
$$;
comment on function retire_models(integer) is
  'Ends models past their sunset_at and activates replacements; alerts p_alert_days before; ends what is featured past featured_until. Answers the names of ended models.';
