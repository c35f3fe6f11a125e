-- The action: writes a job and starts the program that does it. The hook places the stems.

local part = ...
local failure = part ("failure")
local jobs = part ("jobs")
local regions = part ("regions")
local settings = part ("settings")

local function title (pieces)
  local names = {}
  for index, piece in ipairs (pieces) do
    if index == 4 then
      names[4] = ("and %d more"):format (#pieces - 3)
      break
    end
    names[index] = piece.name
  end
  return table.concat (names, ", ")
end

local function check_session ()
  local path = ARDOUR.LuaAPI.build_filename (Session:path (), ".stemdock-test")
  local file, reason = io.open (path, "w")
  if not file then
    failure.raise ("Ardour could not import stems: " .. tostring (reason),
      "Save the session in a folder that you can write to (Session > Save As).")
  end
  file:close ()
  os.remove (path)
end

return function ()
  local pieces, faults = regions.selected ()
  check_session ()
  local options = settings.ask (title (pieces))
  if options then
    jobs.start (pieces, faults, options)
  end
end
