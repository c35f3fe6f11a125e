-- Adds the actions to the Actions list of the REAPER that runs this file.

local _, path = reaper.get_action_context()
local folder = path:match("^(.*)[/\\]stemdock[/\\]")

local names = {}
local index = 0
repeat
  local name = reaper.EnumerateFiles(folder, index)
  if name and name:match("^Stemdock .*%.lua$") then
    names[#names + 1] = name
  end
  index = index + 1
until not name

for number, name in ipairs(names) do
  -- After the last one, REAPER writes its list.
  reaper.AddRemoveReaScript(true, 0, folder .. "/" .. name, number == #names)
end
