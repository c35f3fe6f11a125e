-- @noindex

local _, path = reaper.get_action_context()
local folder = path:match("^(.*[/\\])")
assert(loadfile(folder .. "stemdock/start.lua"))(folder)("app").start({ stems = { "vocals" } })
