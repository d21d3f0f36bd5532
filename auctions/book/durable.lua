-- PostgreSQL has committed up to a seq: free the pending places, trim, wake the other nodes.
-- KEYS: head, log, wake. ARGV: epoch, seq, tag, how many to keep. Answers 2 when somebody else may have
-- heard it.
local h = redis.call('HMGET', KEYS[1], 'epoch', 'durable')
if h[1] ~= ARGV[1] or tonumber(h[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'durable', ARGV[2])
local first = tonumber(ARGV[2]) - tonumber(ARGV[4])
if first > 0 then redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f-0', first)) end
local message = ARGV[1] .. ':' .. ARGV[2] .. ':' .. ARGV[3]
-- A server with sharded pub/sub (Redis 7) can tell who listens: a lone node need not be told what it
-- said itself. Asked each time, for behind the same name there may be another server by now.
local listeners = redis.pcall('PUBSUB', 'SHARDNUMSUB', KEYS[3])
if listeners.err then
  if not string.find(listeners.err, 'nknown') then return listeners end
  redis.call('PUBLISH', KEYS[3], message)
  return 2
end
if listeners[2] < 2 then return 1 end
redis.call('SPUBLISH', KEYS[3], message)
return 2
