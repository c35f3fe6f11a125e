-- Loads the parts of the script: each runs once, and receives this loader to load other parts.
-- An error that leaves an action removes it from its button, so none does.

local folder, entry = ...

local function tell (text)
  LuaDialog.Message ("Stemdock in Ardour", text, LuaDialog.MessageType.Warning, LuaDialog.ButtonType.Close):run ()
end

local loaded = { folder = folder }

local function part (name)
  if loaded[name] == nil then
    loaded[name] = assert (loadfile (folder .. "/" .. name .. ".lua")) (part)
  end
  return loaded[name]
end

-- Calls a function, and shows its error. A failure for the user is a table with a text.
function loaded.guarded (action, ...)
  local ok, problem = pcall (action, ...)
  if ok then
    return problem
  end
  if type (problem) == "table" and problem.text then
    tell (problem.text)
  else
    tell ("An internal error occurred in Stemdock. Please report it:\n\n" .. tostring (problem))
  end
end

local action = loaded.guarded (part, entry)
if entry == "hook" then
  return action
elseif action then
  loaded.guarded (action)
  collectgarbage () -- Ardour waits with closing a session for objects that Lua still holds
end
