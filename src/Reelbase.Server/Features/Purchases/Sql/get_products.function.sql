-- The products that can be bought. What they cost is Apple's to say.
create or replace function get_products() returns table (product_id text, credits integer, grants_tier text)
language sql stable as $$
  select p.product_id, p.credits, p.grants_tier from products p order by p.credits, p.product_id
$$;
comment on function get_products() is 'Products on sale, the smallest first. Row security hides the others.';
