-- What the source of an import was when it was last begun, table by table, so that a source that has changed between two starts is noticed.
alter table imports add column source_state jsonb;
