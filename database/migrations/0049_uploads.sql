-- Pictures that users bring. A file is a row of storage_objects as any other, in a bucket of its own and under a name that says nothing;
-- uploads says under which name its user knows it. Replacing a picture gives the name another file, so no reader ever meets half of each.
alter table storage_objects drop constraint storage_objects_bucket_check;
alter table storage_objects add constraint storage_objects_bucket_check check (bucket in ('pictures', 'thumbnails', 'videos')) not valid;

create table uploads (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null constraint uploads_user_id_fkey references users (id) on delete cascade,
  bucket text not null constraint uploads_bucket_check check (bucket in ('thumbnails', 'uploads')),
  -- The first part of the name: an id of the user's, which may have been merged away since.
  folder uuid not null,
  path text not null constraint uploads_path_check check (char_length(path) between 1 and 512),
  object_id uuid not null
    constraint uploads_object_id_key unique constraint uploads_object_id_fkey references storage_objects (id) on delete cascade,
  cached_for text not null default 'max-age=3600' constraint uploads_cached_for_check check (cached_for ~ '^max-age=[0-9]{1,8}$'),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint uploads_name_key unique (bucket, folder, path),
  constraint uploads_times_check check (isfinite(created_at) and isfinite(updated_at))
);
create index uploads_user_idx on uploads (user_id);
create index uploads_updated_idx on uploads (updated_at);
alter table uploads enable row level security;

-- Which file a job's picture is, when it is one of ours. image_url is then its name, and the worker gives the provider a link to this very file.
alter table video_jobs add column image_object_id uuid;
