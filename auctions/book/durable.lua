-- PostgreSQL has committed up to a seq: free the pending places, trim, wake the other nodes.
-- KEYS: head, log, wake. ARGV: epoch, seq, tag, how many to keep, PUBLISH or SPUBLISH, and SHARDNUMSUB
-- where the server can tell who listens: a lone node need not be told what it said itself. Answers 2
-- when somebody else may have heard it.
local h = redis.call('HMGET', KEYS[1], 'epoch', 'durable')
if h[1] ~= ARGV[1] or tonumber(h[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'durable', ARGV[2])
local first = tonumber(ARGV[2]) - tonumber(ARGV[4])
if first > 0 then redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f-0', first)) end
if ARGV[6] ~= '' and redis.call('PUBSUB', ARGV[6], KEYS[3])[2] < 2 then return 1 end
redis.call(ARGV[5], KEYS[3], ARGV[1] .. ':' .. ARGV[2] .. ':' .. ARGV[3])
return 2
