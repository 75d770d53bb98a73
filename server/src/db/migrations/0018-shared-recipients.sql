-- Whoever is warned twice is written down once: a shard whose recipients are, byte for byte, those of the
-- same shard and channel of an earlier dispatch names that dispatch. In a storm most bulletins are for the
-- people of the last one, and at one bit for each of them their recipients are the dearest part of a plan.
ALTER TABLE shard ALTER COLUMN recipients DROP NOT NULL,
                  ADD COLUMN same_as uuid,
                  ADD CHECK ((recipients IS NULL) <> (same_as IS NULL));
-- Asked when the earlier dispatch is reduced to its figures.
CREATE INDEX shard_same_as ON shard (same_as) WHERE same_as IS NOT NULL;
