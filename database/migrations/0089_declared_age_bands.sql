-- What was declared of an account's age: a band, never a date; and not when, since the moment at which a band changes tells a birthday.
create table age_bands (
  user_id uuid not null constraint age_bands_pkey primary key constraint age_bands_user_id_fkey references users (id) on delete cascade,
  band text not null constraint age_bands_band_check check (band in ('under_13', '13_15', '16_17', '18_plus')),
  declaration text not null constraint age_bands_declaration_check check (declaration in ('self', 'guardian', 'checked'))
);
alter table age_bands enable row level security;
-- What holds of each band, from the settings; nothing is refused before a node of this release has said so.
alter table installation add column age_policies jsonb not null default '{}' constraint installation_age_policies_check check (jsonb_typeof(age_policies) = 'object');
