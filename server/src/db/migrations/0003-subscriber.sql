-- The registry of people and organisations who want to be warned.

-- What people agreed to, or the basis on which they are registered without having been asked: few
-- different texts for millions of subscribers.
CREATE TABLE consent (
  id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  version text NOT NULL,
  basis   text NOT NULL,
  UNIQUE (version, basis)
);

-- An ordinal is for life: never reused, unchanged by moving. `standing` separates the public from
-- synthetic people of exercises, who are the only ones that an Exercise can reach.
CREATE TABLE subscriber (
  ordinal         int PRIMARY KEY,
  -- Imported: derived from source and reference, so that a second import makes no twin.
  -- Null once deleted: the ordinal stays as a tombstone without a person.
  id              uuid UNIQUE,
  kind            text NOT NULL CHECK (kind IN ('person', 'organisation')),
  standing        text NOT NULL CHECK (standing IN ('public', 'exercise')),
  -- The commune, and the village if it is known.
  home_area_id    int NOT NULL,
  home_village_id int,
  -- Further places. A village stands beside its commune, so that both can be asked for directly.
  place_area_ids  int[] NOT NULL DEFAULT '{}',
  follow_ordinals int[] NOT NULL DEFAULT '{}',
  -- Bit set over ENDPOINT_KINDS of the model: which ways there are to reach this subscriber.
  endpoint_bits   smallint NOT NULL,
  -- Of consent, whose rows are never removed: a foreign key would double the cost of an import.
  consent_id      int NOT NULL,
  consent_at      timestamptz NOT NULL,
  -- Tokens carry the generation; a revoked generation is a token that no longer works.
  generation      smallint NOT NULL DEFAULT 0,
  deleted_at      timestamptz
);
-- Processes that check tokens keep these in memory; everybody else's generation is 0.
CREATE INDEX subscriber_raised ON subscriber (ordinal) WHERE generation > 0;

-- Ids of imported people who were deleted: the same list imported again must not bring them back,
-- unless they agreed anew since. Nothing leads from here to an ordinal.
CREATE TABLE withdrawal (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL
);

-- Addresses of endpoints that need one (sms, email, webpush). live and loopback need none.
-- Subscribers' rows are never removed, so nothing needs a foreign key to find them.
CREATE TABLE endpoint (
  ordinal int NOT NULL,
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
CREATE INDEX ordinal_block_area ON ordinal_block (area_id);
CREATE UNIQUE INDEX ordinal_block_open ON ordinal_block (area_id) WHERE used < size;

-- The single row from which blocks are cut; its lock serialises the cutting. Always the last lock
-- that is taken (see registry/ordinal.ts).
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
  at      timestamptz NOT NULL DEFAULT now(),
  -- 'range': read the subscribers of the pieces [[first, last], ...] in `after`; they are new.
  -- 'subscriber': one subscriber changed from `before` to `after` (null: did not exist / deleted).
  -- Inserted after the subscriber's row is locked, so for one subscriber the order by id is right.
  kind    text NOT NULL CHECK (kind IN ('range', 'subscriber')),
  first_ordinal int NOT NULL,
  last_ordinal  int NOT NULL,
  before  jsonb,
  after   jsonb
);
CREATE INDEX registry_change_xid ON registry_change (xid);

-- The audience index in parts, each as it was at its `position`, so that a killed process need not
-- read everyone again. Positions mean something in one database cluster only: `cluster` names it,
-- so that a copy restored elsewhere is not believed.
CREATE TABLE index_snapshot (
  part     int PRIMARY KEY,
  cluster  text NOT NULL,
  position pg_snapshot NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now(),
  body     bytea NOT NULL
);
-- Bitmaps are compressed already.
ALTER TABLE index_snapshot ALTER COLUMN body SET STORAGE EXTERNAL;

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
