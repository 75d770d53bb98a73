-- What the public reads of an issued bulletin: written once, after the issue, and never changed.

CREATE TABLE publication (
  bulletin_id  uuid PRIMARY KEY REFERENCES bulletin,
  -- Nine letters that people type (model/short-code.ts).
  code         text NOT NULL UNIQUE,
  -- Commit-ordered enough for readers: rows are written by one process, in this order.
  seq          bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  -- feed/publication.ts, as the text that was written.
  record       json NOT NULL,
  -- The CAP document, byte for byte as it is published and, where there is a key, signed.
  cap          bytea NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now()
);
