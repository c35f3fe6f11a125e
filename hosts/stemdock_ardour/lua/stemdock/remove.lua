-- The action that removes stem tracks. Ardour itself asks, since its Undo does not bring tracks back.

local part = ...
local failure = part ("failure")
local tracks = part ("tracks")

local function key (route)
  return route:to_stateful ():id ():to_s ()
end

-- The stem tracks of a group that this script has made, or nil.
local function stems_of (group)
  local base, found, is_empty = group:name ():match ("^(.*) stems$"), {}, true
  for route in group:route_list ():iter () do
    local track = route:to_track ()
    if not base or track:isnil () or route:name ():sub (1, #base + 1) ~= base .. " " then
      return nil
    end
    found[#found + 1] = route
    is_empty = is_empty and track:playlist ():region_list ():size () == 0
  end
  return found, is_empty
end

-- The stem tracks of a selected track, or, without a selection, those of one group that are all empty.
local function found ()
  local wanted, is_asked = {}, false
  for route in Editor:get_selection ().tracks:routelist ():iter () do
    wanted[tracks.group_name (route:name ())] = true
    is_asked = true
  end
  for group in Session:route_groups ():iter () do
    local stems, is_empty = stems_of (group)
    if stems and #stems > 0 and (wanted[group:name ()] or not is_asked and is_empty) then
      return stems
    end
  end
end

local function selected ()
  local keys, count = {}, 0
  for route in Editor:get_selection ().tracks:routelist ():iter () do
    keys[key (route)] = true
    count = count + 1
  end
  return keys, count
end

-- Selects the tracks of a group. No script can select a track, but step to the next one; the others of its group
-- are selected with it. Returns whether just these are selected.
local function select (stems)
  Editor:deselect_all ()
  for _ = 1, Session:get_stripables ():size () do
    Editor:access_action ("Editor", "select-next-route")
    local keys, count = selected ()
    if keys[key (stems[1])] then
      for _, route in ipairs (stems) do
        if not keys[key (route)] then
          return false
        end
      end
      return count == #stems
    end
  end
  return false
end

return function ()
  local stems = found ()
  if not stems then
    failure.raise ("There are no empty stem tracks.",
      "To remove stem tracks with their stems, select the track that they were separated from.")
  elseif not select (stems) then
    failure.raise ("The stem tracks could not be selected.",
      "Select them yourself, and choose Track > Remove.")
  end
  Editor:access_action ("Editor", "remove-track")
end
