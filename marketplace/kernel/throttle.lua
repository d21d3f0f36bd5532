-- A token bucket. KEYS[1]: the bucket. ARGV: tokens a second, burst, cost (below 0: give back).
-- Answers 0 when the tokens were taken, else the milliseconds until they would be there.
-- Redis' own time: nodes may disagree by milliseconds, and a bucket is shared by all of them.
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if kept[1] then
    tokens = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
end
if tokens < cost then
    return math.ceil((cost - tokens) / rate * 1000)
end
redis.call('HSET', KEYS[1],
    'tokens', string.format('%.6f', math.min(burst, tokens - cost)), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return 0
