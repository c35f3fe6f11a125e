-- What the user chose, and the dialog for it.

local part = ...
local failure = part ("failure")
local shell = part ("shell")
local tables = part ("tables")

local settings = {}

local PATH = part ("folder") .. "/settings.tsv"
local ALL = "All stems"
local YES = "yes"

-- The words of the command that an installation wrote for this purpose.
function settings.command (purpose)
  for _, row in ipairs (tables.read (part ("folder") .. "/commands.tsv") or {}) do
    if row[1] == purpose then
      if not ARDOUR.LuaAPI.file_test (row[2], ARDOUR.LuaAPI.FileTest.Exists) then
        failure.raise ("Stemdock's program has gone: " .. row[2],
          "Close Ardour, and run in a terminal: plugin-cli ardour install")
      end
      return table.move (row, 2, #row, 1, {})
    end
  end
  failure.raise ("Stemdock is not installed completely.",
    "Close Ardour, and run in a terminal: plugin-cli ardour install")
end

-- The models: for each its name and its stems.
local function models ()
  local words = settings.command ("models")
  for index, word in ipairs (words) do
    words[index] = shell.quoted (word)
  end
  local listing = io.popen (table.concat (words, " ") .. " 2>/dev/null")
  local found = {}
  for line in listing:lines () do
    local fields = {}
    for field in line:gmatch ("[^\t]+") do
      fields[#fields + 1] = field
    end
    found[#found + 1] = { name = table.remove (fields, 1), stems = fields }
  end
  listing:close ()
  if #found == 0 then
    failure.raise ("Stemdock found no model.", "To find the cause, run in a terminal: plugin-cli doctor")
  end
  return found
end

local function remembered ()
  local values = {}
  for _, row in ipairs (tables.read (PATH) or {}) do
    values[row[1]] = row[2]
  end
  return values
end

-- Every choice of the list: a model, and one or all of its stems.
local function choices (found)
  local labels, by_label = {}, {}
  for _, model in ipairs (found) do
    for _, stem in ipairs ({ false, table.unpack (model.stems) }) do
      local label = model.name .. ": " .. (stem or ALL:lower ())
      labels[#labels + 1] = label
      by_label[label] = { model = model.name, stem = stem }
    end
  end
  return labels, by_label
end

-- Asks; returns nil if the user cancels.
function settings.ask (title)
  local before = remembered ()
  local labels, by_label = choices (models ())
  local values = {}
  for _, label in ipairs (labels) do
    values[label] = label
  end
  local answer = LuaDialog.Dialog ("Separate Stems", {
    { type = "heading", title = title },
    { type = "dropdown", key = "what", title = "Separate", values = values,
      default = by_label[before.what] and before.what or labels[1] },
    { type = "checkbox", key = "remainder", title = "Also the rest (with one stem)",
      default = before.remainder == YES },
    { type = "entry", key = "sums", title = "Also sums, such as drums+bass", default = before.sums or "" },
    { type = "checkbox", key = "mute", title = "Mute the original regions", default = before.mute ~= "no" },
  }):run ()
  if not answer then
    return nil
  end
  local rows = { tables.line ("what", answer.what), tables.line ("remainder", answer.remainder and YES or "no"),
    tables.line ("sums", answer.sums), tables.line ("mute", answer.mute and YES or "no") }
  tables.write (PATH, rows) -- without it, the next dialog has the old values
  local choice = by_label[answer.what]
  return {
    model = choice.model,
    stem = choice.stem,
    remainder = choice.stem and answer.remainder,
    sums = answer.sums,
    mute = answer.mute,
  }
end

return settings
