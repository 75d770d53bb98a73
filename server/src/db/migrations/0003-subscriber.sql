-- The registry of people and organisations who want to be warned.

-- An ordinal is for life: never reused, unchanged by moving. `standing` separates the public from
-- synthetic people of exercises, who are the only ones that an Exercise can reach.
CREATE TABLE subscriber (
  ordinal         int PRIMARY KEY,
  -- Imported: derived from source and reference, so that a second import makes no twin.
  -- Null once deleted: the ordinal stays as a tombstone without a person.
  id              uuid UNIQUE,
  kind            text NOT NULL CHECK (kind IN ('person', 'organisation')),
  standing        text NOT NULL CHECK (standing IN ('public', 'exercise')),
  home_area_id    int NOT NULL,
  home_village_id int,
  place_area_ids  int[] NOT NULL DEFAULT '{}',
  follow_ordinals int[] NOT NULL DEFAULT '{}',
  -- Bit set over ENDPOINT_KINDS of the model: which ways there are to reach this subscriber.
  endpoint_bits   smallint NOT NULL,
  consent_version text NOT NULL,
  consent_basis   text NOT NULL,
  consent_at      timestamptz NOT NULL,
  -- Tokens carry the generation; a revoked generation is a token that no longer works.
  generation      smallint NOT NULL DEFAULT 0,
  deleted_at      timestamptz
);

-- Addresses of endpoints that need one (sms, email, webpush). live and loopback need none.
CREATE TABLE endpoint (
  ordinal int NOT NULL REFERENCES subscriber,
  kind    text NOT NULL,
  address text NOT NULL,
  PRIMARY KEY (ordinal, kind)
);

-- Blocks of consecutive ordinals, each for one home commune: locality for bitmaps, nothing more.
CREATE TABLE ordinal_block (
  first_ordinal int PRIMARY KEY,
  size          int NOT NULL CHECK (size BETWEEN 1 AND 4096),
  area_id       int NOT NULL,
  used          int NOT NULL DEFAULT 0 CHECK (used <= size)
);
CREATE UNIQUE INDEX ordinal_block_open ON ordinal_block (area_id) WHERE used < size;

-- The single row from which blocks are cut; its lock serialises the cutting.
CREATE TABLE ordinal_frontier (
  one  boolean PRIMARY KEY DEFAULT true CHECK (one),
  next int NOT NULL DEFAULT 0
);
INSERT INTO ordinal_frontier DEFAULT VALUES;

-- What the audience index must learn, in commit order: a reader keeps the pg_snapshot of its last
-- reading and asks for rows that are visible now and were not then. A bare sequence would skip a
-- row whose transaction commits late.
CREATE TABLE registry_change (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  -- 'range': (re)read the subscribers first_ordinal..last_ordinal that are new.
  -- 'subscriber': one subscriber changed from `before` to `after` (null: did not exist / deleted).
  kind    text NOT NULL CHECK (kind IN ('range', 'subscriber')),
  first_ordinal int NOT NULL,
  last_ordinal  int NOT NULL,
  before  jsonb,
  after   jsonb
);
CREATE INDEX registry_change_xid ON registry_change (xid);

-- The audience index as it was at `position`, so that a killed process need not read everyone again.
CREATE TABLE index_snapshot (
  part     int PRIMARY KEY,
  position pg_snapshot NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now(),
  body     bytea NOT NULL
);

-- One-use tickets are kept in the stream's memory; imports are recorded here with their basis.
CREATE TABLE import_run (
  id          uuid PRIMARY KEY,
  source      text NOT NULL,
  basis       text NOT NULL,
  member_id   uuid,
  started_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  read        int NOT NULL DEFAULT 0,
  added       int NOT NULL DEFAULT 0,
  known       int NOT NULL DEFAULT 0,
  rejected    int NOT NULL DEFAULT 0
);
