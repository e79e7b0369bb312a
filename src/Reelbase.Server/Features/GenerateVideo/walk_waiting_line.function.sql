-- The order of the waiting line at one provider: premium users have three turns of four, users of a tier take turns, and
-- each user's own jobs go by age. Within a tier whoever was served longest ago is next; a newcomer comes after those who
-- wait already, so nobody can be overtaken for ever. place counts from 0.
create or replace function walk_waiting_line(p_provider text)
returns table (job_id uuid, user_id uuid, is_guest boolean, place bigint)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with line as (
    select j.job_id, j.user_id, j.created_at, u.is_guest, u.tier = 'premium' as is_premium,
      row_number() over (partition by j.user_id order by j.created_at, j.job_id) as round,
      min(j.line_turn) over (partition by j.user_id) as served_turn,
      min(j.created_at) over (partition by j.user_id) as first_created_at
    from video_jobs j join users u on u.id = j.user_id
    -- Whoever is being handed over has had their turn already: counted twice, the tiers would change places.
    where j.stage = 'queued' and j.provider = p_provider and (j.lease_until is null or j.lease_until < clock_timestamp())),
  ranked as (
    select l.*, row_number() over (partition by l.is_premium order by l.round, l.served_turn, l.first_created_at, l.user_id) - 1 as rank,
      count(*) over () as everybody, count(*) filter (where l.is_premium) over () as premiums
    from line l),
  turn as (select coalesce((select s.turns from provider_states s where s.provider = p_provider), 0) % 4 as offset_turns)
  select r.job_id, r.user_id, r.is_guest, r.rank + case
    -- Before the premium job of rank r the other tier has had one turn for each three premium turns that passed.
    when r.is_premium then least((t.offset_turns + r.rank) / 3, r.everybody - r.premiums)
    else least(3 - t.offset_turns + 3 * r.rank, r.premiums) end
  from ranked r, turn t;
end
$$;
comment on function walk_waiting_line(text) is 'The waiting jobs of a provider with their places, 0 is next.';
