-- One storm as one thread: what a bulletin is in its chain, and who is left with what it replaces.

ALTER TABLE bulletin
  ADD COLUMN step text NOT NULL DEFAULT 'alert'
    CHECK (step IN ('alert', 'update', 'correction', 'last', 'cancel')),
  -- CAP's triples of messages that this installation does not have: kept and shown, never followed.
  ADD COLUMN unknown_references text[] NOT NULL DEFAULT '{}';
UPDATE bulletin SET step = CASE msg_type WHEN 'Update' THEN 'update' WHEN 'Cancel' THEN 'cancel' ELSE 'alert' END;

-- A bulletin may be sent to three kinds of people, each with its own frozen audience and message:
-- main, left (had what it replaces, and it is not for them), silent (have the faulty text).
ALTER TABLE dispatch
  ADD COLUMN purpose text NOT NULL DEFAULT 'main' CHECK (purpose IN ('main', 'left', 'silent')),
  -- The communes that the message must name; null where they are commune_ids.
  ADD COLUMN message_commune_ids int[],
  DROP CONSTRAINT dispatch_bulletin_id_key,
  ADD UNIQUE (bulletin_id, purpose);

-- Bulletins whose leavers have still to be found: written with the issue, so that no kill forgets
-- them, and worked off afterwards, so that they hold up no warning.
CREATE TABLE leaving (
  bulletin_id uuid PRIMARY KEY REFERENCES bulletin,
  -- The dispatch to be, and what it will say.
  dispatch_id uuid NOT NULL,
  message     bytea NOT NULL,
  expires_at  timestamptz NOT NULL
);
