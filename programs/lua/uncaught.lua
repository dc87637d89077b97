-- SPDX-License-Identifier: MIT
-- An error that nobody catches: the interpreter says where, and ends with status 1.
local function third()
  error("nobody catches this")
end
local function second()
  third()
end
second()
