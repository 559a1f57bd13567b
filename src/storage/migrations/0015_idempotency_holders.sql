-- compatible
-- Who works on a request under an Idempotency-Key, so that others wait for its answer instead of doing it too.
alter table idempotency
  -- the call that works on it; null if none does
  add column holder uuid,
  -- counts on while the holder lives, so that others see it without any clock
  add column beat int not null default 0,
  -- why the last call failed, a problem as JSON, for the calls that waited for it
  add column failure text;
