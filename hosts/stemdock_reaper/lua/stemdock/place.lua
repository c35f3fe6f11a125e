-- Adds the stems to the project: all in one undo step, or none.

local part = ...
local failure = part("failure")
local items = part("items")
local losses = part("losses")
local stemitem = part("stemitem")

local place = {}

local UNDO_NAME = "Separate items into stems"

-- What a folder takes over from its source track. Inside the track's own folder it takes over the colour
-- only: all sound of that folder passes through the track.
local COLOUR = { "I_CUSTOMCOLOR" }
local STRIP = {
  "I_CUSTOMCOLOR", "D_VOL", "D_PAN", "D_WIDTH", "D_DUALPANL", "D_DUALPANR", "I_PANMODE", "D_PANLAW",
  "B_PHASE", "B_MUTE", "I_SOLO", "B_MAINSEND",
}
-- The pan law of 0 dB. The folder, or the track around it, applies the law of the project.
local NO_PAN_LAW = 1

-- The entry of each source in the result, by id; fails if any stem is missing.
local function entries_by_id(result)
  local entries = {}
  for _, entry in ipairs(result.sources) do
    entries[entry.id] = entry
    for _, stem in ipairs(entry.status == "ok" and entry.stems or {}) do
      if not reaper.file_exists(stem.path) then
        failure.raise("A stem is missing: " .. stem.path,
          "The project was not changed. The other stems are in " .. tostring(result.output_dir))
      end
    end
  end
  return entries
end

local function paths_of(entry)
  local paths = {}
  for index, stem in ipairs(entry.stems) do
    paths[index] = stem.path
  end
  return table.concat(paths, "\n")
end

-- Pieces with their items, grouped by the current tracks of the items.
local function group_by_track(project, planned, entries, notes)
  local groups, by_track = {}, {}
  for _, source in ipairs(planned) do
    local entry = entries[source.id] or { status = "error" }
    if entry.status ~= "ok" then
      local problem = entry.error or {}
      notes[#notes + 1] = ("%s: %s. %s"):format(source.name, problem.message or "no result", problem.hint or "")
    else
      for _, damage in ipairs(type(entry.damage) == "table" and entry.damage or {}) do
        notes[#notes + 1] = ("%s %s."):format(source.name, damage)
      end
      for _, piece in ipairs(source.pieces) do
        local item, take = items.find(project, piece)
        if item then
          local track = reaper.GetMediaItemTrack(item)
          if not by_track[track] then
            by_track[track] = { track = track, members = {} }
            groups[#groups + 1] = by_track[track]
          end
          table.insert(by_track[track].members, { piece = piece, item = item, take = take, entry = entry })
        else
          notes[#notes + 1] = piece.name .. ": the item was deleted during the separation. Its stems are:\n"
            .. paths_of(entry)
        end
      end
    end
  end
  return groups
end

local function add_track(project, index, name, depth)
  reaper.InsertTrackAtIndex(index, false)
  local track = reaper.GetTrack(project, index)
  reaper.GetSetMediaTrackInfo_String(track, "P_NAME", name, true)
  reaper.SetMediaTrackInfo_Value(track, "I_FOLDERDEPTH", depth)
  reaper.SetMediaTrackInfo_Value(track, "D_PANLAW", NO_PAN_LAW)
  return track
end

-- Adds a folder below a track, with a track for each stem. If the track was the last in its folders,
-- the last stem takes that place.
local function add_folder(project, source_track, stems)
  local index = math.floor(reaper.GetMediaTrackInfo_Value(source_track, "IP_TRACKNUMBER"))
  local depth = reaper.GetMediaTrackInfo_Value(source_track, "I_FOLDERDEPTH")
  local closes = math.min(0, depth)
  local _, name = reaper.GetTrackName(source_track)
  local folder = add_track(project, index, name .. " - Stems", 1)
  for _, key in ipairs(depth > 0 and COLOUR or STRIP) do
    reaper.SetMediaTrackInfo_Value(folder, key, reaper.GetMediaTrackInfo_Value(source_track, key))
  end
  local tracks = {}
  for number, stem in ipairs(stems) do
    tracks[stem.name] = add_track(project, index + number, stem.title, number == #stems and closes - 1 or 0)
  end
  if closes < 0 then
    reaper.SetMediaTrackInfo_Value(source_track, "I_FOLDERDEPTH", 0)
  end
  return tracks
end

local function place_group(project, group, options, takes, notes)
  local tracks = add_folder(project, group.track, group.members[1].entry.stems)
  for _, member in ipairs(group.members) do
    for _, stem in ipairs(member.entry.stems) do
      takes[#takes + 1] = stemitem.add(tracks[stem.name], member, stem)
    end
  end
  if options.mute then
    for _, member in ipairs(group.members) do
      stemitem.mute_original(member)
    end
  end
  local loss = losses.of_track(group.track)
  if loss then
    local _, name = reaper.GetTrackName(group.track)
    notes[#notes + 1] = name .. ": " .. loss .. "."
  end
end

-- Undoes the changes. If nothing was changed, the last step is not ours and must stay.
local function roll_back(project)
  if reaper.Undo_CanUndo2(project) == UNDO_NAME then
    reaper.Undo_DoUndo2(project)
  end
end

-- Runs a change of the project as one undo step; undoes it and raises the error if it fails.
local function as_one_step(project, change)
  reaper.Undo_BeginBlock2(project)
  reaper.PreventUIRefresh(1)
  local ok, problem = xpcall(change, failure.describe)
  reaper.PreventUIRefresh(-1)
  reaper.TrackList_AdjustWindows(false)
  reaper.UpdateArrange()
  reaper.Undo_EndBlock2(project, UNDO_NAME, -1)
  if not ok then
    roll_back(project)
    error(problem, 0)
  end
end

local function is_open(project)
  local index = 0
  repeat
    local other = reaper.EnumProjects(index)
    index = index + 1
    if other == project then
      return true
    end
  until other == nil
  return false
end

-- Adds the stems of a result below the tracks of their items; returns the new takes.
function place.commit(project, planned, result, options, notes)
  if not is_open(project) then
    failure.raise("The project was closed during the separation.", "The stems are in " .. tostring(result.output_dir))
  end
  local entries = entries_by_id(result)
  local groups = group_by_track(project, planned, entries, notes)
  local takes = {}
  if #groups == 0 then
    return takes
  end
  -- REAPER adds new tracks to the project in front.
  if reaper.EnumProjects(-1) ~= project then
    reaper.SelectProjectInstance(project)
  end
  as_one_step(project, function()
    for _, group in ipairs(groups) do
      place_group(project, group, options, takes, notes)
    end
  end)
  return takes
end

return place
