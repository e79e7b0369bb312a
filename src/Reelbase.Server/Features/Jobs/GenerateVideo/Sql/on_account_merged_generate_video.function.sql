-- Jobs move with their submissions.
create or replace function internal.on_account_merged_generate_video(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update video_jobs set user_id = p_member_id where user_id = p_guest_id;
  update job_submissions set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_generate_video(uuid, uuid) is 'Moves the jobs and their submissions. Internal to merge_accounts, which has locked both accounts.';
