grant execute on function renew_work(text, text, text, integer), give_work_back(text, text, text, text), give_work_up(text, text, text, text)
  to reelbase_worker;
