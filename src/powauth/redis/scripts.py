"""What the server does in one step. Each script touches one hash: that of one kind and owner."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A program of ours, and the name under which a server remembers it."""

    text: str
    sha: str


def script(body: str) -> Script:
    """Return a script with what all of them share put before it."""
    text = SHARED + body
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


# ARGV[1] is now, in microseconds, by the clock of who calls: the server's own decides nothing. A double is exact beyond
# the year 2250. The header is that of `records`: 1 byte of format, 8 of version, 8 of expiry, before the year 10000.
SHARED = """
local key, now = KEYS[1], tonumber(ARGV[1])

local function ends(record)
  return (struct.unpack('>i8', record, 10))
end

local function ours(record)
  return #record >= 17 and string.byte(record) == 1 and ends(record) < 253402300800000000
end

local function alive(record)
  if not record then return false end
  if not ours(record) then error('powauth: not a record of this store') end
  return ends(record) > now
end

local function remove(ids)
  for first = 1, #ids, 100 do
    redis.call('HDEL', key, unpack(ids, first, math.min(first + 99, #ids)))
  end
end

local function sweep(before)
  local fields, gone = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do
    if ours(fields[i + 1]) and ends(fields[i + 1]) <= before then gone[#gone + 1] = fields[i] end
  end
  remove(gone)
end

local function store(id, record, lifetime)
  local is_new = redis.call('HSET', key, id, record) == 1
  if redis.call('PTTL', key) < tonumber(lifetime) then redis.call('PEXPIRE', key, lifetime) end
  if not is_new then return end
  local count = redis.call('HLEN', key)
  if count % 16 == 0 and count <= 1024 then sweep(now - 60000000) end
end
"""

PUT = script("store(ARGV[2], ARGV[3], ARGV[4])")

ADD = script("""
if alive(redis.call('HGET', key, ARGV[2])) then return 0 end
store(ARGV[2], ARGV[3], ARGV[4])
return 1
""")

REPLACE = script("""
local record = redis.call('HGET', key, ARGV[2])
if not alive(record) or string.sub(record, 2, 9) ~= ARGV[5] then return 0 end
store(ARGV[2], ARGV[3], ARGV[4])
return 1
""")

TAKE = script("""
local record = redis.call('HGET', key, ARGV[2])
local stood = alive(record)
if record then redis.call('HDEL', key, ARGV[2]) end
return stood and record
""")

INCREMENT = script("""
local record, counted = redis.call('HGET', key, ARGV[2]), ARGV[3]
if not alive(record) then
  store(ARGV[2], counted, ARGV[4])
  return 1
end
local count = tonumber(string.sub(record, 18))
if not count then error('powauth: not a counter') end
local text = string.format('%.0f', count + 1)
redis.call('HSET', key, ARGV[2], string.sub(counted, 1, 9) .. string.sub(record, 10, 17) .. text)
return count + 1
""")

DELETE_ALL = script("""
local kept, gone, count = {}, {}, 0
for i = 2, #ARGV do kept[ARGV[i]] = true end
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if not kept[fields[i]] then
    gone[#gone + 1] = fields[i]
    if ours(fields[i + 1]) and ends(fields[i + 1]) > now then count = count + 1 end
  end
end
remove(gone)
return count
""")

REMOVE_DEAD = script("""
local gone = {}
for i = 2, #ARGV do
  local record = redis.call('HGET', key, ARGV[i])
  if record and ours(record) and ends(record) <= now then gone[#gone + 1] = ARGV[i] end
end
remove(gone)
return #gone
""")
