-- Loads the parts of the script: each is run once, and is given this loader to reach the others.

local folder = ...
local loaded = {}

local function part(name)
  if loaded[name] == nil then
    loaded[name] = assert(loadfile(folder .. "stemdock/" .. name .. ".lua"))(part)
  end
  return loaded[name]
end

return part
