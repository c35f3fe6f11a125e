-- The action that removes stem tracks. Ardour itself asks, since its Undo does not bring tracks back.

local part = ...
local failure = part ("failure")
local tracks = part ("tracks")

-- Stem tracks: those in the groups of the selected tracks, or, without a selection, all that are empty.
local function found ()
  local wanted = {}
  for route in Editor:get_selection ().tracks:routelist ():iter () do
    wanted[tracks.group_name (route:name ())] = true
  end
  local chosen = {}
  for group in Session:route_groups ():iter () do
    local all = wanted[group:name ()]
    for route in group:route_list ():iter () do
      local track = route:to_track ()
      if group:name ():match (" stems$") and not track:isnil ()
        and (all or track:playlist ():region_list ():size () == 0) then
        chosen[#chosen + 1] = route
      end
    end
  end
  return chosen
end

-- Ardour removes selected tracks only.
local function select_all (routes)
  local list = ArdourUI.SelectionList ()
  for _, route in ipairs (routes) do
    list:push_back (Editor:rtav_from_route (route))
  end
  Editor:set_selection (list, ArdourUI.SelectionOp.Set)
end

return function ()
  local chosen = found ()
  if #chosen == 0 then
    failure.raise ("There are no empty stem tracks.",
      "To remove stem tracks with their stems, select the track that they were separated from.")
  end
  select_all (chosen)
  Editor:access_action ("Editor", "remove-track")
end
