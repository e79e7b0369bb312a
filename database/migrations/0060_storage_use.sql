-- How much the files take, by kind. Each change of a file appends what it adds or takes away, in the transaction of that change, so that uploads
-- and finished jobs wait for no common row; a worker folds the appended rows into one for each kind.
create table storage_use_changes (
  id bigint generated always as identity constraint storage_use_changes_pkey primary key,
  bucket text not null,
  bytes bigint not null,
  objects bigint not null
);
alter table storage_use_changes enable row level security;
create table storage_use (
  bucket text not null constraint storage_use_pkey primary key,
  bytes bigint not null,
  objects bigint not null
);
alter table storage_use enable row level security;
-- Whether use is above the alert's level: set when the alert is raised, taken away when use has fallen below.
create table storage_alert (
  is_one boolean not null default true constraint storage_alert_pkey primary key constraint storage_alert_one_check check (is_one),
  above_since timestamptz constraint storage_alert_above_since_check check (isfinite(above_since)),
  raised bigint not null default 0,
  -- What the nodes' configuration says, as the last look knew it; null: not said.
  capacity_bytes bigint constraint storage_alert_capacity_bytes_check check (capacity_bytes > 0)
);
alter table storage_alert enable row level security;
insert into storage_alert default values;
-- Nothing is brought or removed between the sums and the trigger, which comes in the same transaction as this.
lock table storage_objects in share row exclusive mode;
insert into storage_use (bucket, bytes, objects)
select o.bucket, sum(o.size_bytes), count(*) from storage_objects o where o.size_bytes is not null group by o.bucket;
