-- SPDX-License-Identifier: MIT
-- Recursion without an end, through the interpreter's C functions and without them: it must come to
-- the interpreter's own limits, not to the end of its stack.
local function nested(depth)
  return (string.gsub("a", "a", function() return nested(depth + 1) end))
end
local function plain()
  return plain() + 1
end
local missing = setmetatable({}, {__index = function(all, key) return all[key + 1] end})

print("deep: " .. select(2, pcall(nested, 1)))
print("deep: " .. select(2, pcall(plain)))
print("deep: " .. select(2, pcall(function() return missing[1] end)))
print("deep: " .. select(2, load(("("):rep(300))))
