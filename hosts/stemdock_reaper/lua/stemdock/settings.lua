-- The user's settings, and the configuration that `plugin-cli reaper install` wrote.

local part = ...
local failure = part("failure")
local files = part("files")
local json = part("json")

local settings = {}

local SECTION = "Stemdock"
local DEFAULTS = { model = "2stems", stems = "all", mute = "yes", window = "yes" }
local INSTALL = "Run in a terminal: plugin-cli reaper install"

local function get(key)
  local value = reaper.GetExtState(SECTION, key)
  return value ~= "" and value or DEFAULTS[key]
end

-- The names in a list such as "vocals + drums"; nil for all.
local function parse_stems(text)
  if text:match("^%s*all%s*$") then
    return nil
  end
  local stems = {}
  for name in text:gmatch("[^%s+]+") do
    stems[#stems + 1] = name
  end
  return stems
end

-- The settings for one run.
function settings.read()
  return {
    model = get("model"),
    stems = parse_stems(get("stems")),
    mute = get("mute") == "yes",
    window = get("window") == "yes",
  }
end

-- Asks for the settings and saves them; asks again after invalid input.
function settings.ask()
  local values = table.concat({ get("model"), get("stems"), get("mute"), get("window") }, ",")
  while true do
    local ok, answer = reaper.GetUserInputs("Stemdock", 4,
      "Model:,Stems (all; or vocals+drums):,Mute the originals (yes or no):,"
      .. "Progress window (yes or no):,extrawidth=160", values)
    if not ok then
      return
    end
    local model, stems, mute, window = answer:match("^%s*([^,%s]+)%s*,([^,]+),%s*(%a+)%s*,%s*(%a+)%s*$")
    local yes_or_no = { yes = true, no = true }
    if model and stems:match("%w") and yes_or_no[mute:lower()] and yes_or_no[window:lower()] then
      -- The names of models have capital letters, too.
      local new = { model = model, stems = stems:lower(), mute = mute:lower(), window = window:lower() }
      for key, value in pairs(new) do
        reaper.SetExtState(SECTION, key, value, true)
      end
      return
    end
    reaper.ShowMessageBox("Fill in all four fields. The last two must be yes or no.", "Stemdock", 0)
    values = answer
  end
end

-- The folder of the jobs and the configuration.
function settings.folder()
  return files.join(reaper.GetResourcePath(), "Stemdock")
end

-- The program to start: { command = { program, argument, ... }, start_timeout = seconds }. The command is
-- empty if `plugin-cli reaper serve` runs the jobs.
function settings.config()
  local path = files.join(settings.folder(), "config.json")
  local content = files.read(path)
  if not content then
    failure.raise("Stemdock is not set up in this REAPER yet.", INSTALL)
  end
  local config, reason = json.decode(content)
  if type(config) ~= "table" or type(config.command) ~= "table" then
    failure.raise(path .. " is damaged: " .. tostring(reason or "no command"), INSTALL)
  end
  return config
end

return settings
