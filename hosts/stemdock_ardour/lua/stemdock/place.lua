-- Puts stems into the session: on tracks below that of their region, at its position, in one step to undo.

local part = ...
local failure = part ("failure")
local imports = part ("imports")
local regions = part ("regions")
local tables = part ("tables")
local tracks = part ("tracks")

local place = {}

local function region_of (piece)
  local route = Session:route_by_id (PBD.ID (piece.track_id))
  if route:isnil () or route:to_track ():isnil () then
    return nil
  end
  local track = route:to_track ()
  return track, regions.on_track (track, piece.region)
end

local function read_request (folder)
  local request = { pieces = {}, notes = {} }
  for _, row in ipairs (tables.read (folder .. "/request.tsv") or {}) do
    if row[1] == "options" then
      request.mute = row[5] == "mute"
    elseif row[1] == "piece" then
      request.pieces[row[2]] = { name = row[3], start = math.tointeger (tonumber (row[4])), length = math.tointeger (tonumber (row[5])),
        position = math.tointeger (tonumber (row[6])),
        region = row[7], track_id = row[8], stems = {} }
    elseif row[1] == "note" then
      request.notes[#request.notes + 1] = row[2]
    end
  end
  return request
end

-- Whether the regions of a job are in this session, under the names that they had.
function place.finds_regions (folder)
  for _, piece in pairs (read_request (folder).pieces) do
    local _, region = region_of (piece)
    if not region or region:name () ~= piece.name then
      return false
    end
  end
  return true
end

-- The samples of a region before a piece of it, and after, by the places in its file: it may have been moved.
local function margins (region, piece)
  local before = piece.start - region:start ():samples ()
  return before, region:length ():samples () - before - piece.length
end

-- What is on the original region and is heard goes to its stems.
local function copy_gain (piece, region)
  local from, to = piece.original:to_audioregion (), region:to_audioregion ()
  to:set_scale_amplitude (from:scale_amplitude ())
  to:set_envelope_active (from:envelope_active ())
  if not from:envelope_active () then
    return
  end
  local before, after = margins (piece.original, piece)
  local function add (sample, value)
    to:envelope ():add (Temporal.timepos_t (sample), value, false, true)
  end
  to:envelope ():clear_list ()
  if before > 0 then
    add (0, from:envelope ():eval (Temporal.timepos_t (before)))
  end
  for point in from:envelope ():events ():iter () do
    local sample = point.when:samples () - before
    if sample >= 0 and sample <= piece.length then
      add (sample, point.value)
    end
  end
  if after > 0 then
    add (piece.length, from:envelope ():eval (Temporal.timepos_t (before + piece.length)))
  end
end

local function add_region (stem, piece)
  local playlist = stem.track:playlist ()
  stem.region:set_name (piece.name .. " " .. stem.title)
  if piece.original then
    copy_gain (piece, stem.region)
  end
  playlist:to_stateful ():clear_changes ()
  playlist:add_region (stem.region, Temporal.timepos_t (piece.position), 1, false, 0, 0, false)
  Session:add_stateful_diff_command (playlist:to_statefuldestructible ())
end

-- Cuts a piece out of its region; returns the region that is just the piece, or nil.
local function cut_out (piece)
  local before, after = margins (piece.original, piece)
  local region, position = piece.original, piece.original:position ():samples ()
  local finish = position + region:length ():samples ()
  local first, last = position + math.max (before, 0), finish - math.max (after, 0)
  if first >= last then -- trimmed away meanwhile
    return nil
  end
  if before > 0 then
    region = regions.split (piece.track, region, first, first, finish)
  end
  if region and after > 0 then
    region = regions.split (piece.track, region, last, first, last)
  end
  return region
end

-- Mutes what was separated; returns whether it could be found.
local function mute (piece)
  local playlist = piece.track:playlist ()
  playlist:to_stateful ():clear_changes ()
  local region = cut_out (piece)
  Session:add_stateful_diff_command (playlist:to_statefuldestructible ())
  if region then
    region:to_stateful ():clear_changes ()
    region:set_muted (true)
    Session:add_stateful_diff_command (region:to_statefuldestructible ())
  end
  return region ~= nil
end

local function remove_files (pieces)
  for _, piece in ipairs (pieces) do
    for _, stem in ipairs (piece.stems) do
      os.remove (stem.path)
    end
  end
end

-- Reads result.tsv into the pieces.
local function read_result (request, result)
  for _, row in ipairs (result) do
    local piece = request.pieces[row[2]]
    if row[1] == "stem" and piece then
      piece.stems[#piece.stems + 1] = { name = row[3], title = row[4], path = row[5], duration = tonumber (row[6]) }
    elseif row[1] == "note" then
      request.notes[#request.notes + 1] = row[2]
    end
  end
end

-- Places the stems of a job that is over.
function place.all (folder, result)
  local request = read_request (folder)
  read_result (request, result)
  local ready = {}
  for number = 1, 9999 do
    local piece = request.pieces[tostring (number)]
    if not piece then
      break
    elseif #piece.stems > 0 then
      piece.track, piece.original = region_of (piece)
      if not piece.original then
        request.notes[#request.notes + 1] = piece.name .. " has gone. Its stems are where it was."
      end
      for _, stem in ipairs (piece.stems) do
        stem.region = imports.region (stem.path, stem.duration)
      end
      ready[#ready + 1] = piece
    end
  end
  local provided = {}
  for _, piece in ipairs (ready) do
    tracks.provide (piece, provided)
  end
  if #ready > 0 then
    Session:begin_reversible_command ("Separate Stems")
    for _, piece in ipairs (ready) do
      for _, stem in ipairs (piece.stems) do
        add_region (stem, piece)
      end
      if request.mute and piece.original and not mute (piece) then
        request.notes[#request.notes + 1] = piece.name .. " was changed meanwhile. Mute the separated part yourself."
      end
    end
    if not Session:abort_empty_reversible_command () then
      Session:commit_reversible_command (nil)
    end
    remove_files (ready) -- the session has copies
  end
  collectgarbage ()
  if #request.notes > 0 then
    failure.raise (table.concat (request.notes, "\n"))
  end
end

return place
