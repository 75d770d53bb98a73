-- Bulletins and the agreement of two people.

CREATE TABLE incident (
  id         uuid PRIMARY KEY,
  agency_id  uuid NOT NULL REFERENCES agency,
  hazard     text NOT NULL,
  name_vi    text NOT NULL,
  name_en    text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE standing_order (
  id          uuid PRIMARY KEY,
  agency_id   uuid NOT NULL REFERENCES agency,
  account_id  uuid NOT NULL REFERENCES official_account,
  -- All that two people sign: name, hazard, highest level, areas, hours, the template with its
  -- {{blanks}} and what each blank may hold (model/standing-order.ts).
  body        jsonb NOT NULL,
  hash        bytea NOT NULL,
  created_by  uuid NOT NULL REFERENCES person,
  created_at  timestamptz NOT NULL DEFAULT now(),
  expires_at  timestamptz NOT NULL,
  revoked_at  timestamptz
);

-- content is the whole of what people edit; state changes only through model/transition.ts.
CREATE TABLE bulletin (
  id                uuid PRIMARY KEY,
  agency_id         uuid NOT NULL REFERENCES agency,
  account_id        uuid NOT NULL REFERENCES official_account,
  incident_id       uuid REFERENCES incident,
  standing_order_id uuid REFERENCES standing_order,
  type              text NOT NULL CHECK (type IN ('Actual', 'Exercise', 'PublicTest')),
  msg_type          text NOT NULL CHECK (msg_type IN ('Alert', 'Update', 'Cancel')),
  kind              text NOT NULL CHECK (kind IN ('warning', 'notice')),
  state             text NOT NULL CHECK (state IN
    ('draft', 'submitted', 'approved', 'issued', 'updated', 'cancelled', 'expired')),
  version           int NOT NULL DEFAULT 1,
  content           jsonb NOT NULL,
  -- Bulletins that this one updates or cancels.
  reference_ids     uuid[] NOT NULL DEFAULT '{}',
  created_at        timestamptz NOT NULL DEFAULT now(),
  -- Filled at submit: what the target came down to, and the hash that approvers sign.
  resolved          jsonb,
  hash              bytea,
  -- Filled at issue, the closed list of what only issue can know.
  identifier        text UNIQUE,
  issued_at         timestamptz,
  signature         bytea,
  key_id            text,
  expires_at        timestamptz,
  CHECK (issued_at IS NULL OR (identifier IS NOT NULL AND hash IS NOT NULL
    AND signature IS NOT NULL AND key_id IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE INDEX bulletin_agency ON bulletin (agency_id, id DESC);
-- Who updated or cancelled a bulletin.
CREATE INDEX bulletin_reference ON bulletin USING gin (reference_ids);
-- The sweep for what has run out looks only at what is in force.
CREATE INDEX bulletin_in_force ON bulletin (expires_at) WHERE state = 'issued';

-- Everything that happened to a bulletin, in order. Who appears here as author, editor or
-- submitter can never approve it.
CREATE TABLE bulletin_event (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bulletin_id uuid NOT NULL REFERENCES bulletin,
  at          timestamptz NOT NULL DEFAULT now(),
  person_id   uuid REFERENCES person,
  member_id   uuid REFERENCES member,
  action      text NOT NULL,
  version     int NOT NULL,
  reason      text,
  content     jsonb
);
CREATE INDEX bulletin_event_bulletin ON bulletin_event (bulletin_id, id);

CREATE TABLE approval (
  id                uuid PRIMARY KEY,
  bulletin_id       uuid REFERENCES bulletin,
  standing_order_id uuid REFERENCES standing_order,
  hash              bytea NOT NULL,
  hash_version      int NOT NULL,
  person_id         uuid NOT NULL REFERENCES person,
  capacity          text NOT NULL CHECK (capacity IN ('member', 'parent-duty', 'standing-order')),
  at                timestamptz NOT NULL,
  key_id            text NOT NULL,
  signature         bytea NOT NULL,
  -- An edit voids the approval; the row stays as history.
  voided_at         timestamptz
);

-- Each use of a standing order is reviewed afterwards by somebody who did not press the button.
CREATE TABLE standing_order_use (
  bulletin_id       uuid PRIMARY KEY REFERENCES bulletin,
  standing_order_id uuid NOT NULL REFERENCES standing_order,
  used_by           uuid NOT NULL REFERENCES person,
  used_at           timestamptz NOT NULL DEFAULT now(),
  -- What was filled into the blanks.
  filled            jsonb NOT NULL,
  reviewed_by       uuid REFERENCES person,
  reviewed_at       timestamptz,
  verdict           text,
  comment           text
);

-- An answer that was given under an Idempotency-Key, so that a repeated POST gets it again.
CREATE TABLE idempotency (
  scope        text NOT NULL,
  key          text NOT NULL,
  request_hash bytea NOT NULL,
  status       int,
  body         bytea,
  content_type text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);
