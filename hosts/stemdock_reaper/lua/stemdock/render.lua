-- Renders an item to a WAV file, for sources that cannot be read from their files. The accessor reads the
-- take before its FX, with rate, pitch, stretch markers and channel mode, without volume, pan and fades. It
-- is asked for all channels, because REAPER can mix those that are left out into the others.

local wav = (...)("wav")

local render = {}
render.__index = render

-- Values in a block, all channels together.
local BLOCK_SIZE = 32768
local MOST_CHANNELS = 2
-- Seconds. Lengths of compressed files are not exact.
local MARGIN = 0.1
-- Seconds of work in one cycle of REAPER's interface, so that it stays responsive.
local SLICE = 0.03
local USUAL_RATE = 44100
local NO_AUDIO = "REAPER gave no audio for it. If its media is offline, set it online. If REAPER sets media "
  .. "offline while another program is in front, keep REAPER in front."

function render.start(piece, path)
  local sample_rate = math.floor(piece.sample_rate)
  if sample_rate < 8000 or sample_rate > 192000 then
    sample_rate = USUAL_RATE
  end
  local block_length = math.max(1, BLOCK_SIZE // piece.n_channels)
  local n_kept = math.min(MOST_CHANNELS, piece.n_channels)
  return setmetatable({
    piece = piece,
    path = path,
    sample_rate = sample_rate,
    total_length = math.max(1, math.floor((piece.last - piece.first) * sample_rate + 0.5)),
    done_length = 0,
    block_length = block_length,
    n_kept = n_kept,
    buffer = reaper.new_array(block_length * piece.n_channels),
    file = wav.create(path, sample_rate, n_kept),
  }, render)
end

function render:fraction()
  return self.done_length / self.total_length
end

-- The first channels of interleaved values.
local function first_channels(values, n_channels, n_kept)
  if n_kept == n_channels then
    return values
  end
  local kept = {}
  for at = 1, #values, n_channels do
    table.move(values, at, at + n_kept - 1, #kept + 1, kept)
  end
  return kept
end

-- Whether the source has audio in this part of the item; REAPER reads silence around it.
local function expects_audio(piece, time, duration)
  if reaper.GetTakeNumStretchMarkers(piece.take) > 0 then
    return false
  end
  local stop = math.min(time + duration, reaper.GetMediaItemInfo_Value(piece.item, "D_LENGTH"))
  if reaper.GetMediaItemInfo_Value(piece.item, "B_LOOPSRC") ~= 0 then
    return stop - time > MARGIN
  end
  local rate = reaper.GetMediaItemTakeInfo_Value(piece.take, "D_PLAYRATE")
  local offset = reaper.GetMediaItemTakeInfo_Value(piece.take, "D_STARTOFFS")
  local from, to = math.max(0, offset + time * rate), math.min(piece.source_length, offset + stop * rate)
  return to - from > MARGIN
end

-- Returns whether REAPER could read the audio.
local function render_block(self)
  local length = math.min(self.block_length, self.total_length - self.done_length)
  -- Times count from the start of the item, not of the project.
  local time = self.piece.first - self.piece.position + self.done_length / self.sample_rate
  -- REAPER does not write the samples after the end of the item.
  self.buffer.clear()
  local n_channels = self.piece.n_channels
  local status = reaper.GetAudioAccessorSamples(
    self.accessor, self.sample_rate, n_channels, time, length, self.buffer)
  -- Offline media is not an error for REAPER: it just gives no audio.
  if status < 0 or status == 0 and expects_audio(self.piece, time, length / self.sample_rate) then
    return false
  end
  self.has_audio = self.has_audio or status > 0
  self.file:append(first_channels(self.buffer.table(1, length * n_channels), n_channels, self.n_kept))
  self.done_length = self.done_length + length
  return true
end

local function give_up(self, reason)
  self:discard()
  return nil, self.piece.name .. ": " .. reason
end

-- Renders for a moment; returns true when the file is complete, or nil and the reason for a failure.
function render:step(project)
  local piece = self.piece
  if not reaper.ValidatePtr2(project, piece.take, "MediaItem_Take*")
    or not reaper.ValidatePtr2(project, piece.item, "MediaItem*") then
    return give_up(self, "the item was deleted before its audio was read.")
  end
  self.accessor = self.accessor or reaper.CreateTakeAudioAccessor(piece.take)
  local until_time = reaper.time_precise() + SLICE
  repeat
    if not (self.accessor and render_block(self)) then
      return give_up(self, NO_AUDIO)
    end
    if self.done_length == self.total_length then
      if not self.has_audio then
        return give_up(self, NO_AUDIO)
      end
      self.file:close()
      reaper.DestroyAudioAccessor(self.accessor)
      self.accessor = nil
      return true
    end
  until reaper.time_precise() >= until_time
  return false
end

-- Stops and removes the file; can be called at any time.
function render:discard()
  if self.accessor then
    reaper.DestroyAudioAccessor(self.accessor)
    self.accessor = nil
  end
  self.file:discard()
end

return render
