-- Searched with the caller's own rights.
grant execute on function fold_text(text) to authenticated;
