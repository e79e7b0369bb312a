-- What a key stands for: the operation and what was asked, in the one form that means it (a json's canonical text, a code under the installation's key).
-- One expression, so that PostgreSQL puts it into its callers.
create or replace function internal.hash_request(p_operation text, p_request bytea) returns bytea language sql stable as $$
  select sha256(convert_to(p_operation || ':', 'UTF8') || p_request)
$$;
comment on function internal.hash_request(text, bytea) is 'The hash of a request that an idempotency key stands for. Internal to the definer functions.';
