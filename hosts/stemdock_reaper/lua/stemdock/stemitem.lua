-- The item of one stem, which plays like the original item.

local failure = (...)("failure")

local stemitem = {}

local TOLERANCE = 1e-6
local FADE_IN = { "D_FADEINLEN", "D_FADEINLEN_AUTO", "D_FADEINDIR", "C_FADEINSHAPE" }
local FADE_OUT = { "D_FADEOUTLEN", "D_FADEOUTLEN_AUTO", "D_FADEOUTDIR", "C_FADEOUTSHAPE" }
local ITEM_KEYS = { "D_VOL", "C_BEATATTACHMODE" }
local TAKE_KEYS = { "D_VOL", "D_PAN", "D_PANLAW" }
-- Rendered audio already includes these.
local PLAYBACK_KEYS = { "D_PITCH", "B_PPITCH", "I_PITCHMODE" }

local function copy_item(from, to, keys)
  for _, key in ipairs(keys) do
    reaper.SetMediaItemInfo_Value(to, key, reaper.GetMediaItemInfo_Value(from, key))
  end
end

local function copy_take(from, to, keys)
  for _, key in ipairs(keys) do
    reaper.SetMediaItemTakeInfo_Value(to, key, reaper.GetMediaItemTakeInfo_Value(from, key))
  end
end

-- How far the audio of an item has moved in the project since the start of the action. Dragging the
-- left edge changes both position and offset, and does not move the audio.
local function shift_of(member)
  local piece = member.piece
  local moved = reaper.GetMediaItemInfo_Value(member.item, "D_POSITION") - piece.position
  local slipped = reaper.GetMediaItemTakeInfo_Value(member.take, "D_STARTOFFS") - piece.offset
  return moved - slipped / piece.rate
end

local function copy_fades(member, item)
  local piece = member.piece
  local starts = piece.first <= piece.position + TOLERANCE
  local ends = piece.last >= piece.position + piece.length - TOLERANCE
  for keys, keeps in pairs({ [FADE_IN] = starts, [FADE_OUT] = ends }) do
    if keeps then
      copy_item(member.item, item, keys)
    else
      reaper.SetMediaItemInfo_Value(item, keys[1], 0)
      reaper.SetMediaItemInfo_Value(item, keys[2], 0)
    end
  end
end

local function add_take(item, path)
  local source = reaper.PCM_Source_CreateFromFile(path)
  if not source then
    failure.raise("REAPER cannot open a stem: " .. path, "The project was not changed.")
  end
  local take = reaper.AddTakeToMediaItem(item)
  if not reaper.SetMediaItemTake_Source(take, source) then
    reaper.PCM_Source_Destroy(source)
    failure.raise("REAPER cannot use a stem: " .. path, "The project was not changed.")
  end
  return take
end

-- Adds the item of a stem; returns its take.
function stemitem.add(track, member, stem)
  local piece = member.piece
  local item = reaper.AddMediaItemToTrack(track)
  reaper.SetMediaItemInfo_Value(item, "D_POSITION", piece.first + shift_of(member))
  reaper.SetMediaItemInfo_Value(item, "D_LENGTH", piece.last - piece.first)
  reaper.SetMediaItemInfo_Value(item, "B_LOOPSRC", 0)
  copy_item(member.item, item, ITEM_KEYS)
  copy_fades(member, item)

  local take = add_take(item, stem.path)
  copy_take(member.take, take, TAKE_KEYS)
  if piece.path then
    copy_take(member.take, take, PLAYBACK_KEYS)
    reaper.SetMediaItemTakeInfo_Value(take, "D_PLAYRATE", piece.rate)
    reaper.SetMediaItemTakeInfo_Value(take, "D_STARTOFFS", piece.from - member.entry.start)
  end
  reaper.GetSetMediaItemTakeInfo_String(take, "P_NAME", piece.name .. " - " .. stem.title, true)
  return take
end

-- Splits an item and returns its right part. A split that fails must not mute more than was separated.
local function split(item, position, name)
  local right = reaper.SplitMediaItem(item, position)
  if not right then
    failure.raise(name .. ": REAPER cannot split this item at the edge of the time selection.",
      "The project was not changed. Unlock the item, or separate it without a time selection.")
  end
  return right
end

-- Mutes the original where the stems play; the rest of a partly separated item still plays.
function stemitem.mute_original(member)
  local piece, item = member.piece, member.item
  local shift = shift_of(member)
  local position = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
  local stop = position + reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
  if piece.first > piece.position + TOLERANCE and piece.first + shift > position + TOLERANCE then
    item = split(item, piece.first + shift, piece.name)
  end
  if piece.last < piece.position + piece.length - TOLERANCE and piece.last + shift < stop - TOLERANCE then
    split(item, piece.last + shift, piece.name)
  end
  reaper.SetMediaItemInfo_Value(item, "B_MUTE", 1)
end

return stemitem
