-- The generations above 0, which processes that check tokens keep in memory; everybody else's is 0.
-- Kept apart, because a partial index on subscriber costs every imported row a look at its predicate.
CREATE TABLE raised_generation (
  ordinal    int PRIMARY KEY,
  generation smallint NOT NULL CHECK (generation > 0)
);
INSERT INTO raised_generation (ordinal, generation)
SELECT ordinal, generation FROM subscriber WHERE generation > 0;
DROP INDEX subscriber_raised;
