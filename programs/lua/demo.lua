-- SPDX-License-Identifier: MIT
-- What a program in Lua can do on Nous: computed here and now, nothing is prepared.

-- 1. Floating point: the outer planets' year, by the velocity form of Verlet's integration.
-- Masses are the sun's, distances astronomical units, times days; a year is where the angle that
-- was passed comes to a full circle.
local GRAVITY, SUN, PLANET = 0.0002959122082855911, 1, 2
local DAYS = 2.0

local function accelerate(bodies)
  for i, a in ipairs(bodies) do
    a.ax, a.ay = 0, 0
    for j, b in ipairs(bodies) do
      if i ~= j then
        local x, y = b.x - a.x, b.y - a.y
        local square = x * x + y * y
        local pull = GRAVITY * b.mass / (square * math.sqrt(square))
        a.ax, a.ay = a.ax + pull * x, a.ay + pull * y
      end
    end
  end
end

local function step(bodies)
  for _, a in ipairs(bodies) do
    a.vx, a.vy = a.vx + a.ax * DAYS / 2, a.vy + a.ay * DAYS / 2
    a.x, a.y = a.x + a.vx * DAYS, a.y + a.vy * DAYS
  end
  accelerate(bodies)
  for _, a in ipairs(bodies) do
    a.vx, a.vy = a.vx + a.ax * DAYS / 2, a.vy + a.ay * DAYS / 2
  end
end

local function energy(bodies)
  local sum = 0
  for i, a in ipairs(bodies) do
    sum = sum + a.mass * (a.vx * a.vx + a.vy * a.vy) / 2
    for j = i + 1, #bodies do
      local b = bodies[j]
      sum = sum - GRAVITY * a.mass * b.mass / math.sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2)
    end
  end
  return sum
end

local function year(name, distance, mass)
  local speed = math.sqrt(GRAVITY / distance / (1 + mass)) -- so their centre rests
  local bodies = {
    [SUN] = {mass = 1, x = 0, y = 0, vx = 0, vy = -speed * mass},
    [PLANET] = {mass = mass, x = distance, y = 0, vx = 0, vy = speed}}
  accelerate(bodies)
  local before, angle, last, steps = energy(bodies), 0, 0, 0
  while angle < 2 * math.pi do
    step(bodies)
    local now = math.atan(bodies[PLANET].y - bodies[SUN].y, bodies[PLANET].x - bodies[SUN].x)
    last = (now - last) % (2 * math.pi)
    angle, last, steps = angle + last, now, steps + 1
  end
  local over = (angle - 2 * math.pi) / (angle / steps)
  print(("  %-8s %8.1f days, by Kepler's law %8.1f; energy has changed by %.0e of itself"):format(
    name, (steps - over) * DAYS,
    2 * math.pi * math.sqrt(distance ^ 3 / (GRAVITY * (1 + mass))),
    math.abs(energy(bodies) / before - 1)))
end

print("The outer planets, each alone with the sun:")
year("Jupiter", 5.2029, 9.5458e-4)
year("Saturn", 9.5370, 2.8581e-4)

-- 2. Strings: every word of a verse with how often it stands there, the most frequent first.
local verse = [[For want of a nail the shoe was lost, for want of a shoe the horse was lost,
for want of a horse the rider was lost, for want of a rider the battle was lost,
for want of a battle the kingdom was lost, and all for the want of a horseshoe nail.]]
local counts, words = {}, {}
for word in verse:lower():gmatch("%a+") do
  if not counts[word] then
    words[#words + 1] = word
  end
  counts[word] = (counts[word] or 0) + 1
end
table.sort(words, function(a, b)
  return counts[a] > counts[b] or counts[a] == counts[b] and a < b
end)
for i, word in ipairs(words) do
  words[i] = word .. " " .. counts[word]
end
print("Words of a verse: " .. table.concat(words, ", ", 1, 11))

-- 3. Closures: a generator that remembers what it has found.
local function primes()
  local found, number = {}, 1
  local function is_prime(candidate)
    for _, prime in ipairs(found) do
      if prime * prime > candidate then
        return true
      elseif candidate % prime == 0 then
        return false
      end
    end
    return true
  end
  return function()
    repeat
      number = number + 1
    until is_prime(number)
    found[#found + 1] = number
    return number
  end
end
local next_prime, prime = primes(), nil
for _ = 1, 1000 do
  prime = next_prime()
end
print("The 1,000th prime is " .. prime)

-- 4. An error on purpose, and who made it is told.
local caught, message = pcall(function()
  local nothing
  return nothing.field
end)
print("Caught: " .. tostring(not caught) .. ", " .. message)

-- 5. Memory: more than there is. The interpreter says so, collects its garbage, and goes on.
caught, message = pcall(string.rep, "memory ", 1 << 26)
print("Caught: " .. tostring(not caught) .. ", " .. message)
