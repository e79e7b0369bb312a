-- What piled up before consents were bounded: the newest fifty of a user and kind stay, those that hold first.
delete from user_consents where id in (
  select ranked.id from (
    select c.id, row_number() over (partition by c.user_id, c.kind order by (c.withdrawn_at is null) desc, c.granted_at desc, c.id desc) as place
    from user_consents c) ranked
  where ranked.place > 50);
