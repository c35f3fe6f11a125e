-- The tracks of stems. Ardour's Undo does not remove tracks, so empty ones are used again.

local tracks = {}

local COLOURS = { vocals = 0xd94f4fff, accompaniment = 0x4f7fd9ff, drums = 0xd9a34fff, bass = 0x6fbf4fff,
  piano = 0xa34fd9ff, other = 0x9f9f9fff }
local GREY = 0x9f9f9fff
local AT_END = 0x7fffffff

function tracks.group_name (track_name)
  return track_name .. " stems"
end

local function group_of (name)
  for group in Session:route_groups ():iter () do
    if group:name () == name then
      return group
    end
  end
  local group = Session:new_route_group (name)
  group:set_color (false) -- its colour would replace those of the tracks
  return group
end

-- A track without regions that has this name, or, as Ardour calls a second one, this name and a number; or nil.
local function empty_track (name)
  for route in Session:get_tracks ():iter () do
    local track = route:to_track ()
    local rest = route:name ():sub (1, #name) == name and route:name ():sub (#name + 1)
    if rest and rest:match ("^ ?%d*$") and not track:isnil () and track:playlist ():region_list ():size () == 0 then
      return track
    end
  end
end

-- Gives each stem of a piece a track, below the track of its region; at the end if that has gone. The pieces of a
-- job share tracks: those by name in `provided`.
function tracks.provide (piece, provided)
  local source = piece.track
  local base = source and source:name () or piece.name
  local order = source and source:presentation_info_ptr ():order () or AT_END
  local group
  for _, stem in ipairs (piece.stems) do
    local name = base .. " " .. stem.title
    stem.track = provided[name] or empty_track (name)
    if not stem.track then
      group = group or group_of (tracks.group_name (base))
      local n_channels = stem.region:to_audioregion ():n_channels ()
      order = math.min (order + 1, AT_END)
      stem.track =
        Session:new_audio_track (n_channels, 2, group, 1, name, order, ARDOUR.TrackMode.Normal, false):front ()
      stem.track:presentation_info_ptr ():set_color (COLOURS[stem.name] or GREY)
    else
      order = stem.track:presentation_info_ptr ():order ()
    end
    provided[name] = stem.track
  end
end

return tracks
