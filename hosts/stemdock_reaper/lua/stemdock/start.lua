-- Loads the parts of the script: each runs once, and receives this loader to load other parts.

local folder = ...
local loaded = {}

local function part(name)
  if loaded[name] == nil then
    loaded[name] = assert(loadfile(folder .. "stemdock/" .. name .. ".lua"))(part)
  end
  return loaded[name]
end

return part
