-- What remains of a dispatch when the facts of single persons are no longer kept: its figures per
-- channel and commune, which name nobody.
CREATE TABLE dispatch_sum (
  dispatch_id uuid PRIMARY KEY REFERENCES dispatch,
  -- DispatchSummary of model/delivery.ts, without the refusals, which have a table of their own.
  figures     jsonb NOT NULL,
  reduced_at  timestamptz NOT NULL DEFAULT now()
);
