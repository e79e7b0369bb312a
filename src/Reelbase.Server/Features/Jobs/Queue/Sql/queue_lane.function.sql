-- The lane of a user's jobs. Members and guests share one tier; guests have a lane of their own, so that a spent guest budget is one lane left out.
create or replace function internal.queue_lane(p_tier text, p_is_guest boolean) returns text language sql immutable parallel safe as $$
  select case when p_tier = 'premium' then 'premium' when p_is_guest then 'guest' else 'member' end
$$;
comment on function internal.queue_lane(text, boolean) is 'premium, member or guest: the lane of a user''s jobs in a provider''s queue.';
