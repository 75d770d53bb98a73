-- Agencies, their people and keys.

CREATE TABLE agency (
  id             uuid PRIMARY KEY,
  parent_id      uuid REFERENCES agency,
  name_vi        text NOT NULL,
  name_en        text NOT NULL,
  -- What the agency may do: {areas: [code], hazards: [hazard], channels: [channel],
  -- audienceRules: [rule], kinds: [kind], types: [type]}.
  entitlement    jsonb NOT NULL,
  suspended_at   timestamptz
);

-- The face of an agency. `ordinal` is small and dense, so that follows pack well.
CREATE TABLE official_account (
  id          uuid PRIMARY KEY,
  ordinal     int GENERATED ALWAYS AS IDENTITY UNIQUE,
  agency_id   uuid NOT NULL REFERENCES agency,
  handle      text NOT NULL UNIQUE,
  name_vi     text NOT NULL,
  name_en     text NOT NULL,
  verified_at timestamptz
);

-- A human being. Persons, not memberships or keys, are compared when two people must agree.
CREATE TABLE person (
  id   uuid PRIMARY KEY,
  name text NOT NULL
);

CREATE TABLE member (
  id         uuid PRIMARY KEY,
  person_id  uuid NOT NULL REFERENCES person,
  agency_id  uuid NOT NULL REFERENCES agency,
  post_vi    text NOT NULL,
  post_en    text NOT NULL,
  -- author, approver, duty (may approve for child agencies), manager, responder, operator.
  roles      text[] NOT NULL,
  revoked_at timestamptz,
  UNIQUE (person_id, agency_id)
);

-- Only the SHA-256 of a key is kept: keys have 192 random bits, so no slow hash is needed.
CREATE TABLE api_key (
  sha256     bytea PRIMARY KEY,
  member_id  uuid REFERENCES member,
  -- A gateway's key may only report receipts of this channel.
  gateway    text,
  label      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  CHECK ((member_id IS NULL) <> (gateway IS NULL))
);
