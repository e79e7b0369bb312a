-- What is said about AI providers until an operator publishes a text of their own. Only for an installation that has no terms of this kind.
insert into consent_terms (kind, version, texts)
select 'ai_processing', '1', jsonb_build_object(
  'en', 'To make your video, your prompt and the picture that you choose are sent to: {recipients}. They process them to generate the video and for nothing else that you have not agreed to. You can take this consent back at any time in the settings.',
  'tr', 'Videonuzu oluşturmak için isteminiz ve seçtiğiniz resim şu alıcılara gönderilir: {recipients}. Alıcılar bunları videoyu oluşturmak için işler; onaylamadığınız başka bir amaçla kullanmaz. Bu onayı ayarlardan istediğiniz zaman geri alabilirsiniz.',
  'es', 'Para crear tu video, tu texto y la imagen que elijas se envían a: {recipients}. Los procesan para generar el video y para nada más que no hayas aceptado. Puedes retirar este consentimiento en los ajustes en cualquier momento.')
where not exists (select from consent_terms where kind = 'ai_processing');
