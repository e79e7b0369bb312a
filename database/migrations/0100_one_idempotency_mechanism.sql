-- One mechanism keeps the answers of users' and admins' calls (find_replay, keep_answer); these two were the admins', called by SQL only.
drop function if exists internal.find_admin_replay(uuid, uuid, text, jsonb);
drop function if exists internal.store_admin_answer(uuid, uuid, text, jsonb, jsonb);
