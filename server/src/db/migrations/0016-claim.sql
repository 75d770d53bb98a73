-- A worker asks for one channel at a time: what other channels still have to do is not its to read.
DROP INDEX shard_claim;
CREATE INDEX shard_claim ON shard (lane, channel, seq, shard) WHERE state <> 'closed';
DROP INDEX area_order_claim;
CREATE INDEX area_order_claim ON area_order (lane, channel, seq, area_id)
  WHERE state IN ('prepared', 'handed-over');
