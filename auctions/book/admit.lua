-- Give waiting commands their place in the order. Knows nothing of auctions.
-- KEYS: head, log. ARGV: the bodies, one a line (JSON has no raw line ends). Answers NOBOOK, BUSY, or
-- {epoch, first seq, first ts, tag before, tag after, how many}; the ts of one batch rise by 1 µs each.
local h = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'last_ts', 'durable', 'tag', 'max_pending')
if not h[1] then return {'NOBOOK'} end
local seq, tag = tonumber(h[2]), h[5]
local room = tonumber(h[6]) - (seq - tonumber(h[4]))
if room <= 0 then return {'BUSY'} end
local time = redis.call('TIME')
local ts = math.max(tonumber(time[1]) * 1000000 + tonumber(time[2]), tonumber(h[3]) + 1)
local bodies = {}
for body in string.gmatch(ARGV[1], '[^\n]+') do bodies[#bodies + 1] = body end
local count = math.min(#bodies, room)
-- tostring would lose digits of a µs time.
local function digits(n) return string.format('%.0f', n) end
for i = 1, count do
  local s, t = digits(seq + i), digits(ts + i - 1)
  tag = redis.sha1hex(tag .. ':' .. s .. ':' .. t .. ':' .. bodies[i])
  redis.call('XADD', KEYS[2], s .. '-0', 't', t, 'g', tag, 'b', bodies[i])
end
redis.call('HSET', KEYS[1], 'seq', digits(seq + count), 'last_ts', digits(ts + count - 1), 'tag', tag)
return {h[1], digits(seq + 1), digits(ts), h[5], tag, count}
