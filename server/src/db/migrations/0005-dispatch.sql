-- The engine. There is no row per recipient anywhere: plan + bitmap + cursor is the queue.

-- A process that may hold leases. Its one lease covers all that it owns, so that renewing costs
-- one row and not one per shard. Time is PostgreSQL's.
CREATE TABLE process (
  id          uuid PRIMARY KEY,
  role        text NOT NULL,
  lease_until timestamptz NOT NULL
);

-- Commit-ordered sequence per lane: the row lock is held until commit, so a number that is
-- visible implies that all lower ones are.
CREATE TABLE lane (
  lane text PRIMARY KEY CHECK (lane IN ('warning', 'notice')),
  seq  bigint NOT NULL
);
INSERT INTO lane VALUES ('warning', 0), ('notice', 0);

-- One sending of one issued bulletin. It holds all that is needed to send: sending joins no
-- table that can change.
CREATE TABLE dispatch (
  id            uuid PRIMARY KEY,
  bulletin_id   uuid NOT NULL UNIQUE REFERENCES bulletin,
  type          text NOT NULL CHECK (type IN ('Actual', 'Exercise', 'PublicTest')),
  lane          text NOT NULL REFERENCES lane,
  seq           bigint NOT NULL,
  -- open -> cancelled | expired -> sealed; open -> sealed when every state is final.
  state         text NOT NULL CHECK (state IN ('open', 'cancelled', 'expired', 'sealed')),
  issued_at     timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  closed_at     timestamptz,
  -- What a device receives: UTF-8 JSON, at most 16 KiB with its frame, the approved hash inside.
  message       bytea NOT NULL,
  -- Dispatches whose bulletins this one cancels or replaces.
  supersedes    uuid[] NOT NULL DEFAULT '{}',
  residents     int NOT NULL,
  concerned     int NOT NULL,
  -- Ids of the communes that the bulletin is for, whether or not anybody is registered there.
  commune_ids   int[] NOT NULL,
  -- The approved channels; an addressed one that reaches nobody has no shard and is reported as 0.
  channels      text[] NOT NULL,
  UNIQUE (lane, seq)
);
CREATE INDEX dispatch_open ON dispatch (state) WHERE state <> 'sealed';

-- The frozen audience: for each attributed commune two disjoint bitmaps in Roaring's portable
-- format over ordinals. Their union over all communes is the audience.
-- No foreign key: planning writes thousands of rows in the transaction of their dispatch, and a
-- key is looked up row by row.
CREATE TABLE audience_commune (
  dispatch_id uuid NOT NULL,
  area_id     int NOT NULL,
  residents   bytea NOT NULL,
  concerned   bytea NOT NULL,
  PRIMARY KEY (dispatch_id, area_id)
);

-- The unit of lease and checkpoint: 65,536 consecutive ordinals of one addressed channel of one
-- dispatch. `recipients` is one container of Roaring's portable format (see audience/container.ts);
-- positions below are ranks within it.
CREATE TABLE shard (
  dispatch_id uuid NOT NULL,
  channel     text NOT NULL,
  shard       int NOT NULL,
  lane        text NOT NULL,
  seq         bigint NOT NULL,
  planned     int NOT NULL CHECK (planned BETWEEN 1 AND 65536),
  recipients  bytea NOT NULL,
  -- Outcomes of ranks below `cursor` are in the journal.
  cursor      int NOT NULL DEFAULT 0,
  -- Ranks cursor..intent were or may have been handed over under `epoch`.
  intent      int NOT NULL DEFAULT 0,
  epoch       int NOT NULL DEFAULT 0,
  owner       uuid,
  -- open: work left; closing: cancelled or expired with an open intent; closed: cursor is final.
  state       text NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
  PRIMARY KEY (dispatch_id, channel, shard),
  CHECK (cursor <= intent AND intent <= planned)
);
-- Workers claim in this order, and only look at what is not finished.
CREATE INDEX shard_claim ON shard (lane, seq, shard) WHERE state <> 'closed';

-- Outcomes and receipts as they were committed. `entries` is packed (dispatch/journal.ts).
-- Tailers read in commit order by xid, as with registry_change.
CREATE TABLE journal (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
  dispatch_id uuid NOT NULL,
  channel     text NOT NULL,
  -- The shard of rank runs; -1 for entries that name ordinals.
  shard       int NOT NULL,
  entries     bytea NOT NULL
);
CREATE INDEX journal_xid ON journal (xid);
CREATE INDEX journal_dispatch ON journal (dispatch_id, channel, id);

-- What the journal amounted to, per shard, up to `position`: planes and times by rank, packed.
CREATE TABLE fold (
  dispatch_id uuid NOT NULL,
  channel     text NOT NULL,
  shard       int NOT NULL,
  position    pg_snapshot NOT NULL,
  body        bytea NOT NULL,
  PRIMARY KEY (dispatch_id, channel, shard)
);

-- Receipts that could not count, by reason: foreign (not in the dispatch), unknown dispatch.
CREATE TABLE receipt_refusal (
  dispatch_id uuid NOT NULL,
  channel     text NOT NULL,
  reason      text NOT NULL,
  refused     bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (dispatch_id, channel, reason)
);

-- Area channels: one order per area. Claims are kept apart from the exact planes.
CREATE TABLE area_order (
  id            uuid PRIMARY KEY,
  dispatch_id   uuid NOT NULL REFERENCES dispatch,
  channel       text NOT NULL,
  area_id       int NOT NULL,
  lane          text NOT NULL,
  seq           bigint NOT NULL,
  state         text NOT NULL CHECK (state IN
    ('prepared', 'handed-over', 'accepted', 'carried-out', 'refused', 'unsure', 'suppressed', 'expired')),
  epoch         int NOT NULL DEFAULT 0,
  owner         uuid,
  claimed       int,
  evidence      text,
  changed_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (dispatch_id, channel, area_id)
);
CREATE INDEX area_order_claim ON area_order (lane, seq) WHERE state IN ('prepared', 'handed-over');

-- What is packed already is not compressed again: it would cost time and win nothing.
ALTER TABLE audience_commune ALTER COLUMN residents SET STORAGE EXTERNAL,
                             ALTER COLUMN concerned SET STORAGE EXTERNAL;
ALTER TABLE shard ALTER COLUMN recipients SET STORAGE EXTERNAL;
ALTER TABLE fold ALTER COLUMN body SET STORAGE EXTERNAL;
