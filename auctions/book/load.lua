-- Begin a new epoch from what PostgreSQL knows. An older epoch never replaces a newer one.
-- KEYS: head, log. ARGV: epoch, seq, last ts, tag, max pending. Answers the epoch in force.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch and tonumber(epoch) >= tonumber(ARGV[1]) then return epoch end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', ARGV[2], 'last_ts', ARGV[3], 'durable', ARGV[2],
  'tag', ARGV[4], 'max_pending', ARGV[5])
return ARGV[1]
