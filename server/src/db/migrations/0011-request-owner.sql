-- The process that is doing a request: when it is dead, a repeat need not wait to do it again.
ALTER TABLE idempotency ADD COLUMN owner uuid;
