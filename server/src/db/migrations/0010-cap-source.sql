-- CAP messages of others: where they come from, and each message once.

-- A source acts as a member of its agency that is an author and nothing else: `member_id`. What
-- else it may do is in `settings` (server/src/source/source.ts).
CREATE TABLE cap_source (
  id            uuid PRIMARY KEY,
  name          text NOT NULL UNIQUE,
  agency_id     uuid NOT NULL REFERENCES agency,
  account_id    uuid NOT NULL REFERENCES official_account,
  member_id     uuid NOT NULL REFERENCES member,
  -- Null: it pushes, and is not asked.
  url           text,
  settings      jsonb NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),
  -- A message that was refused before this is looked at again.
  changed_at    timestamptz NOT NULL DEFAULT now(),
  suspended_at  timestamptz,
  -- How polling stands.
  next_poll_at  timestamptz NOT NULL DEFAULT now(),
  polled_at     timestamptz,
  etag          text,
  last_modified text,
  fault         text,
  faults        int NOT NULL DEFAULT 0
);
CREATE INDEX cap_source_due ON cap_source (next_poll_at) WHERE url IS NOT NULL AND suspended_at IS NULL;

-- Entries of a feed that were fetched, so that they are not fetched again while they stay as they are.
CREATE TABLE cap_source_entry (
  source_id uuid NOT NULL REFERENCES cap_source,
  link      text NOT NULL,
  stamp     text NOT NULL,
  PRIMARY KEY (source_id, link)
);

-- Every message that arrived, once, with what became of it. Rows stay: they say why there is a draft.
CREATE TABLE cap_message (
  -- The draft of a message has the same id, so that a repeat after a crash makes no twin.
  id           uuid PRIMARY KEY,
  source_id    uuid NOT NULL REFERENCES cap_source,
  -- Empty when the bytes were no message.
  sender       text NOT NULL,
  identifier   text NOT NULL,
  sent         timestamptz,
  msg_type     text NOT NULL,
  sha256       bytea NOT NULL,
  -- Of the message as it was read: a feed that only writes it differently raises no alarm.
  content_sha256 bytea NOT NULL,
  received_at  timestamptz NOT NULL DEFAULT now(),
  via          text NOT NULL CHECK (via IN ('poll', 'push', 'hand')),
  verified     boolean NOT NULL,
  state        text NOT NULL
    CHECK (state IN ('received', 'drafted', 'issued', 'kept', 'refused', 'alarm')),
  -- It refers to a message that never came.
  orphan       boolean NOT NULL DEFAULT false,
  reason       text,
  remarks      jsonb NOT NULL DEFAULT '[]',
  bulletin_ids uuid[] NOT NULL DEFAULT '{}',
  body         bytea NOT NULL,
  UNIQUE (source_id, sha256)
);
-- What was refused, as a forgery is, must not stand in the way of the true message.
CREATE UNIQUE INDEX cap_message_once ON cap_message (source_id, sender, identifier)
  WHERE state NOT IN ('refused', 'alarm');
CREATE INDEX cap_message_recent ON cap_message (source_id, received_at);

CREATE TABLE cap_reference (
  message_id uuid NOT NULL REFERENCES cap_message ON DELETE CASCADE,
  sender     text NOT NULL,
  identifier text NOT NULL,
  sent       timestamptz,
  PRIMARY KEY (message_id, sender, identifier)
);
CREATE INDEX cap_reference_to ON cap_reference (sender, identifier);

-- A key of a source hands in messages of that source, and does nothing else.
ALTER TABLE api_key ADD COLUMN source_id uuid REFERENCES cap_source;
ALTER TABLE api_key DROP CONSTRAINT api_key_check;
ALTER TABLE api_key ADD CHECK (num_nonnulls(member_id, gateway, source_id) = 1);
