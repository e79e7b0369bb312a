-- What the shipped app sells. Only for an installation that has no products: what an operator has made is never touched.
insert into products (product_id, credits)
select v.product_id, v.credits
from (values
  ('com.rendioai.credits.starter.25', 25),
  ('com.rendioai.credits.popular.60', 60),
  ('com.rendioai.credits.best.150', 150)
) as v (product_id, credits)
where not exists (select from products);
