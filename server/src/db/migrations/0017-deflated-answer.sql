-- Answers that are kept for repeats are deflated before they are encrypted: one for a country names
-- thousands of communes.
ALTER TABLE idempotency ADD COLUMN is_deflated boolean NOT NULL DEFAULT false;
