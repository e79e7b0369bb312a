-- What a provider calls each setting of a model, its picture field, constants and what one of its billable units costs: data of the model.
-- Rows of before get theirs from fill_provider_input when the functions are in place; '{}' means what its adapter sends to any model.
alter table models
  add column provider_input jsonb not null default '{}'
    constraint models_provider_input_check check (jsonb_typeof(provider_input) = 'object'),
  add column provider_unit_cost numeric(14, 6) constraint models_provider_unit_cost_check check (provider_unit_cost >= 0),
  add column operator_note text constraint models_operator_note_check check (char_length(operator_note) between 1 and 1000);
comment on column models.provider_input is
  'How the row''s settings and picture are written in its provider''s request: picture, settings, combined, always, always_on. {}: as its adapter writes any model''s.';
comment on column models.provider_unit_cost is
  'Dollars for one unit that the provider bills, where its units carry every surcharge already. Null: a unit costs provider_cost with the row''s surcharges.';
comment on column models.operator_note is 'What the operator should know of the model; never shown to users.';
