-- The catalogue to start with. Only for an installation that has none: what an operator has made is never touched.
insert into models (id, name, category, description, cost_per_generation, provider, provider_model_id, is_featured,
  is_available, is_active, pricing_type, credits_per_second, required_fields, has_audio, provider_cost)
select v.id::uuid, v.name, v.category, v.description, v.cost, v.provider, v.provider_model_id, v.is_featured,
  v.is_available, v.is_active, v.pricing_type, v.cps, v.fields::jsonb, v.has_audio, v.provider_cost
from (values
  ('a0000000-0000-4000-8000-000000000001', 'Veo 3.1 Fast', 'text_to_video', 'Quick, lifelike clips from a text.', 8, 'fal', 'fal-ai/veo3.1/fast', true, true, true, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":8,"options":[4,6,8]},"resolution":{"default":"720p","options":["720p","1080p"]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}}}', true, 0.10),
  ('a0000000-0000-4000-8000-000000000002', 'Veo 3.1', 'text_to_video', 'The finest picture, from a text.', 8, 'fal', 'fal-ai/veo3.1', false, true, false, 'per_second', 2,
   '{"requires_prompt":true,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":4,"options":[4,6,8]},"resolution":{"default":"720p","options":["720p","1080p","4k"],"surcharge_percent":{"4k":100}},"aspect_ratio":{"default":"16:9","options":["16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":100}}}}', true, 0.20),
  ('a0000000-0000-4000-8000-000000000003', 'Veo 3.1 Lite', 'text_to_video', 'The lightest way to try an idea.', 8, 'fal', 'fal-ai/veo3.1/lite', false, true, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":8,"options":[4,6,8]},"resolution":{"default":"720p","options":["720p","1080p"]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}}}', true, 0.03),
  ('a0000000-0000-4000-8000-000000000004', 'Veo 3.1 Fast Image', 'image_to_video', 'Sets a picture in motion.', 8, 'fal', 'fal-ai/veo3.1/fast/image-to-video', true, true, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":8,"options":[4,6,8]},"resolution":{"default":"720p","options":["720p","1080p"]},"aspect_ratio":{"default":"auto","options":["auto","16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}}}', true, 0.10),
  ('a0000000-0000-4000-8000-000000000005', 'Veo 3.1 Image', 'image_to_video', 'Sets a picture in motion, in the finest quality.', 8, 'fal', 'fal-ai/veo3.1/image-to-video', false, true, false, 'per_second', 2,
   '{"requires_prompt":true,"requires_image":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":4,"options":[4,6,8]},"resolution":{"default":"720p","options":["720p","1080p"]},"aspect_ratio":{"default":"auto","options":["auto","16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":100}}}}', true, 0.20),
  ('a0000000-0000-4000-8000-000000000006', 'Pika 2.2', 'text_to_video', 'Playful clips in many formats.', 5, 'pika', 'fal-ai/pika/v2.2/text-to-video', false, true, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":5,"options":[5,10]},"resolution":{"default":"720p","options":["720p","1080p"],"surcharge_percent":{"1080p":100}},"aspect_ratio":{"default":"16:9","options":["16:9","9:16","1:1","4:5","5:4","3:2","2:3"]}}}', false, 0.04),
  ('a0000000-0000-4000-8000-000000000007', 'Pika 2.2 Image', 'image_to_video', 'Sets a picture in motion, playfully.', 5, 'pika', 'fal-ai/pika/v2.2/image-to-video', false, true, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":5,"options":[5,10]},"resolution":{"default":"720p","options":["720p","1080p"],"surcharge_percent":{"1080p":100}}}}', false, 0.04),
  ('a0000000-0000-4000-8000-000000000009', 'Kling 3', 'text_to_video', 'Long takes, from a text.', 5, 'fal', 'fal-ai/kling-video/v3/standard/text-to-video', false, true, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":5,"options":[3,4,5,6,8,10]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16","1:1"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}}}', true, 0.084),
  ('a0000000-0000-4000-8000-00000000000a', 'Kling 3 Image', 'image_to_video', 'Sets a picture in motion, in long takes.', 5, 'fal', 'fal-ai/kling-video/v3/standard/image-to-video', false, true, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":5,"options":[3,4,5,6,8,10]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}}}', true, 0.084),
  ('a0000000-0000-4000-8000-00000000000b', 'Runway Gen-4.5', 'text_to_video', 'Film-like clips from a text.', 10, 'runway', 'gen4.5', false, true, false, 'per_second', 2,
   '{"requires_prompt":true,"prompt_max_utf16":1000,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":5,"options":[2,3,4,5,6,7,8,9,10]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16"]}}}', false, 0.12),
  ('a0000000-0000-4000-8000-00000000000c', 'Runway Gen-4 Turbo', 'image_to_video', 'Sets a picture in motion, quickly.', 5, 'runway', 'gen4_turbo', false, true, false, 'per_second', 1,
   '{"requires_prompt":true,"prompt_max_utf16":1000,"requires_image":true,"requires_settings":true,"settings":{"duration":{"required":true,"default":5,"options":[2,3,4,5,6,7,8,9,10]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16","4:3","3:4","1:1","21:9"]}}}', false, 0.05),
  ('a0000000-0000-4000-8000-00000000000d', 'Runway Veo 3.1 Fast', 'text_to_video', 'Quick, lifelike clips from a text, made at Runway.', 8, 'runway', 'veo3.1_fast', false, true, false, 'per_second', 2,
   '{"requires_prompt":true,"prompt_max_utf16":1000,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":4,"options":[4,6,8]},"resolution":{"default":"720p","options":["720p","1080p"]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16"]},"audio":{"default":false,"type":"boolean","options":[true,false],"surcharge_percent":{"true":50}}}}', true, 0.10),
  -- Its vendor has shut it down; kept so that old jobs keep their model.
  ('a0000000-0000-4000-8000-000000000008', 'Sora 2', 'text_to_video', 'No longer offered by its vendor.', 4, 'fal', 'fal-ai/sora-2/text-to-video', false, false, false, 'per_second', 1,
   '{"requires_prompt":true,"requires_image":false,"requires_settings":true,"settings":{"duration":{"required":true,"default":4,"options":[4,8,12,16,20]},"resolution":{"default":"720p","options":["720p"]},"aspect_ratio":{"default":"16:9","options":["16:9","9:16"]}}}', true, 0.10)
) as v (id, name, category, description, cost, provider, provider_model_id, is_featured, is_available, is_active, pricing_type, cps, fields, has_audio, provider_cost)
where not exists (select from models);

insert into themes (id, name, description, prompt, is_featured, default_settings)
select v.id::uuid, v.name, v.description, v.prompt, v.is_featured, v.settings::jsonb
from (values
  ('5a000000-0000-4000-8000-000000000001', 'Paper boat', 'A small journey on still water.', 'A paper boat drifting over a quiet lake at dawn, mist above the water', true, '{"duration":8,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-000000000002', 'Night market', 'Lanterns, steam and colour.', 'A lively night market street with lanterns and steam rising from food stalls', true, '{"duration":8,"resolution":"720p","aspect_ratio":"9:16"}'),
  ('5a000000-0000-4000-8000-000000000003', 'Clay town', 'A hand-made world.', 'A tiny clay town waking up, stop motion, warm morning light', false, '{"duration":6,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-000000000004', 'Deep sea', 'Where light ends.', 'Glowing jellyfish rising through dark blue water, slow camera', false, '{"duration":8,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-000000000005', 'Desert rally', 'Dust and speed.', 'A rally car crossing golden dunes, dust trail, aerial view', false, '{"duration":4,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-000000000006', 'Cat astronaut', 'One small paw.', 'A curious cat in a space suit floating inside a space station', true, '{"duration":4,"resolution":"720p","aspect_ratio":"9:16"}'),
  ('5a000000-0000-4000-8000-000000000007', 'Autumn train', 'Through red forests.', 'An old train crossing a stone bridge through red autumn forests', false, '{"duration":8,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-000000000008', 'Origami birds', 'Paper takes wing.', 'Origami cranes unfolding and flying out of an open window', false, '{"duration":6,"resolution":"720p","aspect_ratio":"9:16"}'),
  ('5a000000-0000-4000-8000-000000000009', 'Rain window', 'A calm evening.', 'Rain running down a window with city lights out of focus behind it', false, '{"duration":8,"resolution":"720p","aspect_ratio":"9:16"}'),
  ('5a000000-0000-4000-8000-00000000000a', 'Balloon valley', 'A hundred colours in the sky.', 'Hot air balloons rising over a rocky valley at sunrise', false, '{"duration":8,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-00000000000b', 'Pixel hero', 'Back to the arcade.', 'A pixel art hero running through a neon city, side scroller', false, '{"duration":4,"resolution":"720p","aspect_ratio":"16:9"}'),
  ('5a000000-0000-4000-8000-00000000000c', 'Snow fox', 'Quiet steps.', 'A white fox walking through fresh snow under northern lights', false, '{"duration":8,"resolution":"720p","aspect_ratio":"16:9"}')
) as v (id, name, description, prompt, is_featured, settings)
where not exists (select from themes);
