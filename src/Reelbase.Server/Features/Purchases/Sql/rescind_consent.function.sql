-- Apple says that a guardian has taken back that a child uses the app. The latest word of a download counts; one that a guardian's consent has overtaken changes nothing,
-- and the same word again neither. Answers how many accounts it was about.
create or replace function rescind_consent(p_environment text, p_app_transaction_id text, p_signed_at numeric) returns integer
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_key text := p_environment || ':' || p_app_transaction_id;
  v_at timestamptz := apple_moment(p_signed_at, clock_timestamp());
  v_user_id uuid;
  v_accounts integer := 0;
begin
  insert into rescinded_consents as r (app_transaction, rescinded_at) values (v_key, v_at)
  on conflict on constraint rescinded_consents_pkey do update set rescinded_at = excluded.rescinded_at where excluded.rescinded_at > r.rescinded_at;
  if not found then
    return 0;
  end if;
  for v_user_id in select u.id from users u where u.app_transactions @> array[v_key] and u.app_transactions <> '{}' and u.deleted_at is null and u.merged_into is null order by u.id loop
    perform apply_rescinded_consent((lock_account(v_user_id)).id);
    v_accounts := v_accounts + 1;
  end loop;
  return v_accounts;
end
$$;
comment on function rescind_consent(text, text, numeric) is 'Carries out that a guardian has taken their consent back; how many accounts it was about, 0 also for a word that is not the latest.';
