-- Inspects the selected items and decides for each how to read its audio. Changes nothing.
--
-- A piece is the part of one item to separate. Its times are seconds: `first` and `last` in the project,
-- `from` and `to` in the source file, at the moment when the action started.

local part = ...
local failure = part("failure")
local losses = part("losses")

local items = {}

-- Types of sources whose files Stemdock can read itself.
local PLAIN = { WAVE = true, AIFF = true, FLAC = true, MP3 = true, VORBIS = true, OPUS = true }
local MIDI = { MIDI = true, MIDIPOOL = true }
local SILENT = { EMPTY = true, [""] = true }
local MIDI_HINT = "MIDI has no audio to separate: run \"Item: Apply track/take FX to items\" first."

-- Shorter differences are rounding errors.
local TOLERANCE = 1e-6

local function item_value(item, key)
  return reaper.GetMediaItemInfo_Value(item, key)
end

local function take_value(take, key)
  return reaper.GetMediaItemTakeInfo_Value(take, key)
end

function items.guid(item)
  local _, guid = reaper.GetSetMediaItemInfo_String(item, "GUID", "", false)
  return guid
end

local function take_guid(take)
  local _, guid = reaper.GetSetMediaItemTakeInfo_String(take, "GUID", "", false)
  return guid
end

-- The name of an item: that of its take, without the suffix of a file name.
local function name_of(take, track)
  local name = reaper.GetTakeName(take):gsub("%.%w%w%w%w?$", "")
  if not name:match("%S") then
    local _, track_name = reaper.GetTrackName(track)
    name = track_name
  end
  return name
end

-- Whether this part of the source can be read directly from its file.
local function is_plain(piece, source, kind, path)
  local length, in_beats = reaper.GetMediaSourceLength(source)
  local loops = item_value(piece.item, "B_LOOPSRC") ~= 0
  return PLAIN[kind]
    and reaper.GetMediaSourceParent(source) == nil
    and path ~= ""
    and not in_beats
    and reaper.GetMediaSourceNumChannels(source) <= 2
    and take_value(piece.take, "I_CHANMODE") == 0
    and reaper.GetTakeNumStretchMarkers(piece.take) == 0
    and piece.from >= -TOLERANCE
    and piece.from < length - TOLERANCE
    and (piece.to <= length + TOLERANCE or not loops)
end

-- The file of a source, which may be a section of another source; "" for a source without a file.
local function file_of(source)
  local parent = source and reaper.GetMediaSourceParent(source)
  while parent do
    source, parent = parent, reaper.GetMediaSourceParent(parent)
  end
  return source and reaper.GetMediaSourceFileName(source, "") or ""
end

-- Why a take has no audio to separate, or nil.
local function problem_of(take, source, kind)
  local path = file_of(source)
  if path ~= "" and not reaper.file_exists(path) then
    return "its file is missing: " .. path
  end
  if reaper.TakeIsMIDI(take) or MIDI[kind] then
    return MIDI_HINT
  end
  return SILENT[kind] and "it has no audio to separate." or nil
end

-- The piece of one item, or nil and the reason.
local function inspect(item, selection)
  local take = reaper.GetActiveTake(item)
  if not take then
    return nil, "an empty item has no audio to separate."
  end
  local track = reaper.GetMediaItemTrack(item)
  local name = name_of(take, track)
  local source = reaper.GetMediaItemTake_Source(take)
  local kind = source and reaper.GetMediaSourceType(source, "") or ""
  local problem = problem_of(take, source, kind)
  if problem then
    return nil, name .. ": " .. problem
  end

  local position, length = item_value(item, "D_POSITION"), item_value(item, "D_LENGTH")
  local first, last = position, position + length
  if selection then
    first, last = math.max(first, selection.first), math.min(last, selection.last)
  end
  if last - first <= TOLERANCE then
    return nil, name .. ": is outside the time selection."
  end
  local rate, offset = take_value(take, "D_PLAYRATE"), take_value(take, "D_STARTOFFS")
  local piece = {
    item = item, guid = items.guid(item), take = take, take_guid = take_guid(take), name = name,
    position = position, length = length, rate = rate, offset = offset,
    first = first, last = last,
    from = offset + (first - position) * rate, to = offset + (last - position) * rate,
  }
  local path = reaper.GetMediaSourceFileName(source, "")
  local n_channels = math.max(1, reaper.GetMediaSourceNumChannels(source))
  piece.losses = losses.of_item(track, item, take, n_channels)
  if is_plain(piece, source, kind, path) then
    piece.path = path
    piece.to = math.min(piece.to, (reaper.GetMediaSourceLength(source)))
  else
    piece.n_channels = n_channels
    piece.sample_rate = reaper.GetMediaSourceSampleRate(source)
    local source_length, in_beats = reaper.GetMediaSourceLength(source)
    piece.source_length = in_beats and 0 or source_length
  end
  return piece
end

-- The pieces of the selected items, and notes about skipped items and missing effects.
function items.collect(project)
  local n_items = reaper.CountSelectedMediaItems(project)
  if n_items == 0 then
    failure.raise("No item is selected.", "Select the items to separate and start the action again.")
  end
  local first, last = reaper.GetSet_LoopTimeRange2(project, false, false, 0, 0, false)
  local selection = last > first and { first = first, last = last } or nil
  local pieces, notes = {}, {}
  for index = 0, n_items - 1 do
    local piece, reason = inspect(reaper.GetSelectedMediaItem(project, index), selection)
    notes[#notes + 1] = reason
    pieces[#pieces + 1] = piece
    for _, loss in ipairs(piece and piece.losses or {}) do
      notes[#notes + 1] = piece.name .. ": " .. loss .. "."
    end
  end
  if #pieces == 0 then
    failure.raise("The selected items cannot be separated.", table.concat(notes, "\n"))
  end
  return pieces, notes
end

local function find_item(project, piece)
  if reaper.ValidatePtr2(project, piece.item, "MediaItem*") and items.guid(piece.item) == piece.guid then
    return piece.item
  end
  for index = 0, reaper.CountMediaItems(project) - 1 do
    local item = reaper.GetMediaItem(project, index)
    if items.guid(item) == piece.guid then
      return item
    end
  end
end

-- The current item and take of a piece, or nil if they were deleted: undo and redo make new objects
-- with the old GUIDs, and an old pointer may refer to another object by now.
function items.find(project, piece)
  local item = find_item(project, piece)
  for index = 0, item and reaper.CountTakes(item) - 1 or -1 do
    local take = reaper.GetTake(item, index)
    if take and take_guid(take) == piece.take_guid then
      return item, take
    end
  end
end

return items
