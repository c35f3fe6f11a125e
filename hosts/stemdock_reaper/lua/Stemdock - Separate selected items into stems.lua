-- @description Separate selected items into stems
-- @version 0.1.0
-- @author Stemdock
-- @about
--   Splits the selected items into stem tracks with Deezer's Spleeter models.
--   Needs the program Stemdock on the same machine, and `plugin-cli reaper install` once.
-- @provides
--   [main] .
--   [main] Stemdock - Isolate vocals of selected items.lua
--   [main] Stemdock - Settings.lua
--   [nomain] stemdock/*.lua

local _, path = reaper.get_action_context()
local folder = path:match("^(.*[/\\])")
assert(loadfile(folder .. "stemdock/start.lua"))(folder)("app").start({})
