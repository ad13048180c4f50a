"""
The same as `bucket.py` in Lua, for Redis: one call asks for a slot, and counts what happened.

Redis runs a script alone and by its own clock, so hosts with other clocks agree. All keys of an operation
have one hash tag, so they are on one node of a cluster. The time is in microseconds, which a Lua number holds
exactly until the year 2255.

Beside the bucket, it keeps the counters of `COUNTERS`: their sums since ever, and those of the last ten
minutes in a ring of 60 entries, each of which begins anew when its turn comes again. Users are counted by
HyperLogLog, in one of the present hour and one of the hour before: each has at most 12 KB, and an error of
0.8 %. So nothing here grows with the number of users but the line, which is limited.
"""

from __future__ import annotations

from typing import Final

from . import bucket

FIRST: Final = "first"
RENEWAL: Final = "renewal"
PAUSE: Final = "pause"
"""What is asked for: a slot for first credentials, one for renewed ones, or no slots for a moment."""

COUNTERS: Final = (
    *("requests", "waited", "waited_us", "refused", "postponed", "throttled"),
    *("hits", "adopted", "exchanged", "failed"),
)
"""What is counted; `counts.Counts` says what the last four are, which processes count."""
OF_PROCESSES: Final = COUNTERS[-4:]
STATE: Final = ("now", "shift", "next", "ends", "slip", "kept", "spare", "paused", "hour")
ENTRY: Final = 10 * bucket.SECOND
"""The time that an entry of the ring covers."""
ENTRIES: Final = 60
SUMS: Final = "sums"
"""The name of the sums, beside the entries of the ring."""
HOUR: Final = 3600 * bucket.SECOND
FORGOTTEN_AFTER: Final = 30 * 86_400
"""Seconds after which Redis forgets an operation that nobody asks for."""


def keys(place: str) -> list[str]:
    """
    Name the keys of one operation: its state, line, ring, and users of even and of odd hours.

    Args:
        place: Names the operation, the region and the endpoint.
    """
    return [
        f"cognito-credentials:{{{place}}}:{name}" for name in ("state", "line", "ring", "users0", "users1")
    ]


ASK: Final = f"""
local time = redis.call('TIME')
local given = time[1] * {bucket.SECOND} + time[2]
local state, line, ring = KEYS[1], KEYS[2], KEYS[3]
local kind, interval, patience, who = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local function text(number) return string.format('%.0f', number) end

local names = {{'{"', '".join(STATE)}'}}
local b, before = {{}}, {{}}
for i, value in ipairs(redis.call('HMGET', state, unpack(names))) do
  before[i] = tonumber(value or 0)
  b[names[i]] = before[i]
end

b.shift = math.max(b.shift, b.now - given)
b.now = given + b.shift
local now, granted, crowded = b.now, 0, 0
local wait = math.max(0, b.next - now)

local function step()
  if b.kept > now then return math.floor(interval * {bucket.SHARE} / {bucket.SHARE - 1}) end
  return interval
end
local function let_slip(time)
  if b.ends + b.slip > now then b.slip = b.slip + time end
end
local function take()
  granted, b.next = 1, now + wait + step()
  let_slip(step() - interval)
end

if kind == '{FIRST}' then
  redis.call('ZREMRANGEBYSCORE', line, '-inf', '(' .. text(now - {bucket.PLACE_KEPT} - b.slip))
  local place = tonumber(redis.call('ZSCORE', line, who) or nil)
  local due = place and place + b.slip
  local limit, has_line = patience, b.ends + b.slip > now
  if has_line and (not due or due > now + wait) then limit = math.min(patience, {bucket.NEWCOMERS_WAIT}) end
  if wait <= limit then
    if place then redis.call('ZREM', line, who) end
    if has_line or wait >= {bucket.CROWDED} then crowded = 1 end
    take()
  else
    if not due then
      due = math.max(b.ends + b.slip, b.next, now) + step()
      if due - now <= {bucket.LONGEST_LINE} then
        b.ends = due - b.slip
        redis.call('ZADD', line, text(b.ends), who)
        redis.call('EXPIRE', line, {2 * (bucket.LONGEST_LINE + bucket.PLACE_KEPT) // bucket.SECOND})
      end
    end
    wait = math.max(due - now, wait - patience, {bucket.SOONEST})
  end
elseif kind == '{RENEWAL}' then
  if wait <= {bucket.RENEWALS_WAIT} then
    take()
  else
    if wait > {2 * bucket.RENEWALS_WAIT} or b.ends + b.slip > now then
      if b.kept <= now then b.spare = b.next end
      b.kept = now + {bucket.SHARE_KEPT}
    end
    wait = {bucket.SOONEST}
    if b.kept > now and b.spare <= now then
      granted, wait, b.spare = 1, 0, now + interval * {bucket.SHARE}
    end
  end
elseif b.paused <= now then
  b.paused = now + {bucket.PAUSE}
  b.next = math.max(b.next, now) + {bucket.PAUSE}
  let_slip({bucket.PAUSE})
end

local fields = {{}}
local hour = math.floor(now / {HOUR})
local users, is_new_hour = KEYS[4 + hour % 2], hour ~= b.hour
if is_new_hour then
  redis.call('DEL', users)
  if hour ~= b.hour + 1 then redis.call('DEL', KEYS[4 + b.hour % 2]) end
  b.hour = hour
end
if granted == 1 and redis.call('PFADD', users, who) == 1 then
  redis.call('EXPIRE', users, {3 * HOUR // bucket.SECOND})
end
for i, name in ipairs(names) do
  if b[name] ~= before[i] then
    fields[#fields + 1] = name
    fields[#fields + 1] = text(b[name])
  end
end
if #fields > 0 then redis.call('HSET', state, unpack(fields)) end

local counts = {{0, 0, 0, 0, 0, 0, unpack(ARGV, 5)}}
if kind == '{PAUSE}' then counts[6] = 1
elseif granted == 0 then counts[kind == '{FIRST}' and 4 or 5] = 1
else counts[1], counts[2], counts[3] = 1, wait > 0 and 1 or 0, wait end
local function added(old, number)
  local values, sums = {{}}, {{number}}
  for value in string.gmatch(old or '', '%d+') do values[#values + 1] = value end
  if values[1] ~= number then values = {{}} end
  for i, count in ipairs(counts) do
    local value = values[i + 1] or '0'
    sums[i + 1] = tonumber(count) == 0 and value or text(count + value)
  end
  return table.concat(sums, ' ')
end
local number = math.floor(now / {ENTRY})
local entry = number % {ENTRIES}
local kept = redis.call('HMGET', ring, entry, '{SUMS}')
redis.call('HSET', ring, entry, added(kept[1], text(number)), '{SUMS}', added(kept[2], '0'))
if is_new_hour then
  redis.call('EXPIRE', state, {FORGOTTEN_AFTER})
  redis.call('EXPIRE', ring, {FORGOTTEN_AFTER})
end
return {{granted, text(wait), crowded}}
"""
