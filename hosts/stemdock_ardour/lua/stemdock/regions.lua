-- The audio to separate: the selected regions, or the parts of regions in the selected range.

local part = ...
local failure = part ("failure")

local regions = {}

-- The region with this identity on a track, or nil. Ardour's region_by_id finds removed ones, too.
function regions.on_track (track, id)
  for region in track:playlist ():region_list ():iter () do
    if region:to_stateful ():id ():to_s () == id then
      return region
    end
  end
end

-- The track that a region is on; Ardour has no direct way.
function regions.track_of (region)
  local id = region:to_stateful ():id ():to_s ()
  for route in Session:get_tracks ():iter () do
    local track = route:to_track ()
    if not track:isnil () and regions.on_track (track, id) then
      return track
    end
  end
end

-- Splits a region at a sample of the session; returns the part from `first` to `last`, or nil.
function regions.split (track, region, at, first, last)
  local known = {}
  for each in track:playlist ():region_list ():iter () do
    known[each:to_stateful ():id ():to_s ()] = true
  end
  track:playlist ():split_region (region, Temporal.timepos_t (at))
  for each in track:playlist ():region_list ():iter () do
    local position = each:position ():samples ()
    if not known[each:to_stateful ():id ():to_s ()] and position == first
      and position + each:length ():samples () == last then
      return each
    end
  end
end

-- The files of a region's channels, or nil and why it has none.
local function channels_of (region)
  local audio = region:to_audioregion ()
  if audio:isnil () then
    return nil, "is not audio"
  elseif region:is_compound () then
    return nil, "is combined from several regions. Choose Region > Edit > Uncombine, or bounce it"
  end
  local channels = {}
  for number = 0, audio:n_channels () - 1 do
    local source = region:source (number):to_filesource ()
    if source:isnil () then
      return nil, "has no file"
    end
    channels[#channels + 1] = { path = source:path (), number = source:channel () }
  end
  return channels
end

local function piece (region, track, first, last)
  local channels, fault = channels_of (region)
  if not channels then
    return nil, region:name () .. " " .. fault .. "."
  end
  local position = region:position ():samples ()
  first = math.max (first or position, position)
  last = math.min (last or math.huge, position + region:length ():samples ())
  return {
    region = region:to_stateful ():id ():to_s (),
    track = track:to_stateful ():id ():to_s (),
    name = region:name (),
    position = first,
    start = region:start ():samples () + first - position,
    length = last - first,
    channels = channels,
  }
end

local function add (found, faults, ...)
  local new, fault = piece (...)
  if new and new.length > 0 then
    found[#found + 1] = new
  end
  faults[#faults + 1] = fault
end

local function in_range (range, tracks, found, faults)
  local first, last = range:start_sample (), range:end_sample ()
  for route in tracks:routelist ():iter () do
    local track = route:to_track ()
    if not track:isnil () then
      for region in track:playlist ():region_list ():iter () do
        local position = region:position ():samples ()
        if position < last and position + region:length ():samples () > first and not region:muted () then
          add (found, faults, region, track, first, last)
        end
      end
    end
  end
end

-- The pieces to separate, and a text about each region that cannot be.
function regions.selected ()
  local selection = Editor:get_selection ()
  local found, faults = {}, {}
  for region in selection.regions:regionlist ():iter () do
    local track = regions.track_of (region)
    if track then
      add (found, faults, region, track)
    end
  end
  if #found + #faults == 0 and selection.time:end_sample () > 0 then
    in_range (selection.time, selection.tracks, found, faults)
  end
  if #found == 0 then
    local text = #faults > 0 and table.concat (faults, "\n") or "No audio region is selected."
    failure.raise (text, "Select audio regions, or a range on tracks with audio, and try again.")
  end
  return found, faults
end

return regions
