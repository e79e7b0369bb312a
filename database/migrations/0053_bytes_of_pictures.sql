-- What all users' pictures take together, kept by triggers, so that a bound over the whole installation needs no walk through every row.
alter table installation add column picture_bytes bigint not null default 0
  constraint installation_picture_bytes_check check (picture_bytes >= 0);
-- Nothing is brought or removed between the sum and the triggers, which come in the same transaction as this.
lock table storage_objects in share row exclusive mode;
update installation set picture_bytes = coalesce((select sum(o.size_bytes) from storage_objects o where o.bucket = 'pictures'), 0);
