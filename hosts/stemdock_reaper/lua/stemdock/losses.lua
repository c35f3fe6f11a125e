-- Names what the stems do not take over from an item and its track.

local losses = {}

local FIXED_LANES = 2
local SENDS, HARDWARE_OUTPUTS = 0, 1

-- "a, b and c are not copied to the stems", or nil for an empty list.
local function not_copied(names)
  if not names[1] then
    return nil
  end
  local last = table.remove(names)
  local list = names[1] and table.concat(names, ", ") .. " and " .. last or last
  return list .. " are not copied to the stems"
end

-- Whether an item is silent because of its lane. Versions before 7 return 0 for both attributes.
local function is_in_silent_lane(track, item)
  local plays = reaper.GetMediaItemInfo_Value(item, "C_LANEPLAYS")
  local has_lanes = reaper.GetMediaTrackInfo_Value(track, "I_FREEMODE") == FIXED_LANES
  return plays < 0 or has_lanes and plays == 0
end

-- Phrases about an item whose source has so many channels.
function losses.of_item(track, item, take, n_channels)
  local phrases, names = {}, {}
  if reaper.CountTakeEnvelopes(take) > 0 then
    names[#names + 1] = "take envelopes"
  end
  if reaper.TakeFX_GetCount(take) > 0 then
    names[#names + 1] = "take FX"
  end
  phrases[1] = not_copied(names)
  if n_channels > 2 then
    phrases[#phrases + 1] = ("only the first 2 of its %d channels are separated"):format(n_channels)
  end
  if reaper.GetMediaItemInfo_Value(item, "B_MUTE") ~= 0 then
    phrases[#phrases + 1] = "it is muted, but its stems are not"
  end
  if is_in_silent_lane(track, item) then
    phrases[#phrases + 1] = "its lane does not play, but its stems do"
  end
  return phrases
end

-- A phrase about a track, or nil. Stems inside the track's own folder pass through all of it.
function losses.of_track(track)
  local names = {}
  if reaper.GetMediaTrackInfo_Value(track, "I_FOLDERDEPTH") > 0 then
    return nil
  end
  for _, entry in ipairs({
    { reaper.TrackFX_GetCount(track), "track FX" },
    { reaper.CountTrackEnvelopes(track), "track envelopes" },
    { reaper.GetTrackNumSends(track, SENDS), "sends" },
    { reaper.GetTrackNumSends(track, HARDWARE_OUTPUTS), "hardware outputs" },
  }) do
    if entry[1] > 0 then
      names[#names + 1] = entry[2]
    end
  end
  return not_copied(names)
end

return losses
