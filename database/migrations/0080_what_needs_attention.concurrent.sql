-- Few rows, which the overview asks for whenever somebody opens it.
create index concurrently users_below_zero_idx on users (id) where credits_remaining < 0;
create index concurrently user_consents_ai_idx on user_consents (version, user_id) where kind = 'ai_processing' and withdrawn_at is null;
