-- Corrections of November 2026 to rows that are still as they were seeded: whatever an operator has changed of a row's price, options or endpoint leaves that row
-- as it is. Prices change for presses to come; what was charged stays charged.
alter table models add column default_moves_to uuid;
comment on column models.default_moves_to is 'The model that becomes active in this one''s place as soon as a node of this release runs; nodes of the release before cannot submit to it.';

-- Google switched its previews off on 2026-10-22, so the default moves away; the note says why.
update models m set operator_note =
    'Google switched its veo-3.1 previews off on 2026-10-22; whether this provider still answers for them is not confirmed. Gemini Omni 1.1 follows it.'
where m.provider_model_id ~ '^(fal-ai/veo3\.1|veo3\.1)';
update models m set default_moves_to = 'a0000000-0000-4000-8000-000000000012'
where m.is_active and (m.id = 'a0000000-0000-4000-8000-000000000001' and m.provider_model_id = 'fal-ai/veo3.1/fast' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.10)
  and m.required_fields -> 'settings' -> 'duration' = '{"required":true,"default":8,"options":[4,6,8]}';
update models m set is_featured = false
where (m.id = 'a0000000-0000-4000-8000-000000000001' and m.provider_model_id = 'fal-ai/veo3.1/fast' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.10) or (m.id = 'a0000000-0000-4000-8000-000000000004' and m.provider_model_id = 'fal-ai/veo3.1/fast/image-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.10);
update models m set is_available = false, paused_at = now(), paused_reason =
    'Google switched its veo-3.1 previews off on 2026-10-22; whether Runway''s still answers is not confirmed. Generate one video with it before it is switched on.'
where m.is_available and not m.is_active and (m.id = 'a0000000-0000-4000-8000-00000000000d' and m.provider_model_id = 'veo3.1_fast' and m.pricing_type = 'per_second' and m.credits_per_second = 2 and m.provider_cost = 0.10);

-- "4k" exists.
update models m set required_fields = jsonb_set(m.required_fields, '{settings,resolution}',
    '{"default":"720p","options":["720p","1080p","4k"],"surcharge_percent":{"4k":200}}')
where ((m.id = 'a0000000-0000-4000-8000-000000000001' and m.provider_model_id = 'fal-ai/veo3.1/fast' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.10) or (m.id = 'a0000000-0000-4000-8000-000000000004' and m.provider_model_id = 'fal-ai/veo3.1/fast/image-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.10))
  and m.required_fields -> 'settings' -> 'resolution' = '{"default":"720p","options":["720p","1080p"]}';
update models m set required_fields = jsonb_set(m.required_fields, '{settings,resolution}',
    '{"default":"720p","options":["720p","1080p","4k"],"surcharge_percent":{"4k":100}}')
where (m.id = 'a0000000-0000-4000-8000-000000000005' and m.provider_model_id = 'fal-ai/veo3.1/image-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 2 and m.provider_cost = 0.20)
  and m.required_fields -> 'settings' -> 'resolution' = '{"default":"720p","options":["720p","1080p"]}';
-- What options cost us more.
update models m set required_fields = jsonb_set(jsonb_set(m.required_fields, '{settings,resolution}',
    '{"default":"720p","options":["720p","1080p"],"surcharge_percent":{"1080p":67}}'), '{settings,audio,surcharge_percent}', '{"true":100}')
where (m.id = 'a0000000-0000-4000-8000-000000000003' and m.provider_model_id = 'fal-ai/veo3.1/lite' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.03) and m.required_fields -> 'settings' -> 'resolution' = '{"default":"720p","options":["720p","1080p"]}'
  and m.required_fields -> 'settings' -> 'audio' = '{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}';
update models m set required_fields = jsonb_set(m.required_fields, '{settings,resolution,surcharge_percent}', '{"1080p":125}')
where ((m.id = 'a0000000-0000-4000-8000-000000000006' and m.provider_model_id = 'fal-ai/pika/v2.2/text-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.04) or (m.id = 'a0000000-0000-4000-8000-000000000007' and m.provider_model_id = 'fal-ai/pika/v2.2/image-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.04))
  and m.required_fields -> 'settings' -> 'resolution' = '{"default":"720p","options":["720p","1080p"],"surcharge_percent":{"1080p":100}}';
-- 3 to 15 seconds.
update models m set required_fields = jsonb_set(m.required_fields, '{settings,duration,options}', '[3,4,5,6,7,8,9,10,11,12,13,14,15]')
where ((m.id = 'a0000000-0000-4000-8000-000000000009' and m.provider_model_id = 'fal-ai/kling-video/v3/standard/text-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.084)
    or (m.id = 'a0000000-0000-4000-8000-00000000000a' and m.provider_model_id = 'fal-ai/kling-video/v3/standard/image-to-video' and m.pricing_type = 'per_second' and m.credits_per_second = 1 and m.provider_cost = 0.084))
  and m.required_fields -> 'settings' -> 'duration' = '{"required":true,"default":5,"options":[3,4,5,6,8,10]}';
update models m set sunset_at = '2026-09-24 00:00:00+00' where m.sunset_at is null and m.provider_model_id ~* '(^|/)sora-2(/|$)' and not m.is_active and not m.is_available;
