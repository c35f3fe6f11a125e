-- Renders an item to a WAV file, for sources that cannot be read from their files. The accessor reads the
-- take before its FX, with rate, pitch, stretch markers and channel mode, without volume, pan and fades.

local wav = (...)("wav")

local render = {}
render.__index = render

local BLOCK_LENGTH = 16384
-- Seconds of work in one cycle of REAPER's interface, so that it stays responsive.
local SLICE = 0.03
local USUAL_RATE = 44100

function render.start(piece, path)
  local sample_rate = math.floor(piece.sample_rate)
  if sample_rate < 8000 or sample_rate > 192000 then
    sample_rate = USUAL_RATE
  end
  return setmetatable({
    piece = piece,
    path = path,
    sample_rate = sample_rate,
    total_length = math.max(1, math.floor((piece.last - piece.first) * sample_rate + 0.5)),
    done_length = 0,
    buffer = reaper.new_array(BLOCK_LENGTH * piece.n_channels),
    file = wav.create(path, sample_rate, piece.n_channels),
  }, render)
end

function render:fraction()
  return self.done_length / self.total_length
end

-- Returns whether REAPER could read the audio.
local function render_block(self)
  local length = math.min(BLOCK_LENGTH, self.total_length - self.done_length)
  -- Times count from the start of the item, not of the project.
  local time = self.piece.first - self.piece.position + self.done_length / self.sample_rate
  -- REAPER does not write the samples after the end of the item.
  self.buffer.clear()
  local n_channels = self.piece.n_channels
  local status = reaper.GetAudioAccessorSamples(
    self.accessor, self.sample_rate, n_channels, time, length, self.buffer)
  if status < 0 then
    return false
  end
  self.file:append(self.buffer.table(1, length * n_channels))
  self.done_length = self.done_length + length
  return true
end

local function give_up(self, reason)
  self:discard()
  return nil, self.piece.name .. ": " .. reason
end

-- Renders for a moment; returns true when the file is complete, or nil and the reason for a failure.
function render:step(project)
  if not reaper.ValidatePtr2(project, self.piece.take, "MediaItem_Take*") then
    return give_up(self, "the item was deleted before its audio was read.")
  end
  self.accessor = self.accessor or reaper.CreateTakeAudioAccessor(self.piece.take)
  local until_time = reaper.time_precise() + SLICE
  repeat
    if not (self.accessor and render_block(self)) then
      return give_up(self, "REAPER cannot read its audio. Check that its media file is online.")
    end
    if self.done_length == self.total_length then
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
