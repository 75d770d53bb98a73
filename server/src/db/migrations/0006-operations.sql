-- What those who run an installation need to know of it.

-- One row that is written once a second: a database that cannot write sends no warning.
CREATE TABLE heartbeat (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  at  timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
INSERT INTO heartbeat DEFAULT VALUES;

-- Backups that were begun. One counts once whoever took it has said that it arrived whole.
CREATE TABLE backup (
  id           uuid PRIMARY KEY,
  started_at   timestamptz NOT NULL DEFAULT now(),
  -- Digest and length of what was sent; null while it is being sent, or was broken off.
  sha256       text,
  bytes        bigint,
  confirmed_at timestamptz
);
CREATE INDEX backup_confirmed ON backup (confirmed_at) WHERE confirmed_at IS NOT NULL;

-- Backups that this database was restored from, so that what follows from it happens once.
CREATE TABLE restoration (
  backup_id   uuid PRIMARY KEY,
  restored_at timestamptz NOT NULL DEFAULT now()
);
