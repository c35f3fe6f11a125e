-- Writes 32-bit float WAV files block by block.

local failure = (...)("failure")

local wav = {}
wav.__index = wav

-- string.pack accepts about 250 values at once, which is several times faster than one by one.
local VALUES_PER_PACK = 240
local HEADER_SIZE = 58
local LARGEST = 0xFFFFFFFF - HEADER_SIZE

local function header(self)
  local data_size = self.n_values * 4
  return string.pack("<c4I4c4", "RIFF", HEADER_SIZE - 8 + data_size, "WAVE")
    .. string.pack("<c4I4I2I2I4I4I2I2I2", "fmt ", 18, 3, self.n_channels, self.sample_rate,
      self.sample_rate * self.n_channels * 4, self.n_channels * 4, 32, 0)
    .. string.pack("<c4I4I4", "fact", 4, self.n_values // self.n_channels)
    .. string.pack("<c4I4", "data", data_size)
end

local function write(self, bytes)
  local ok, reason = self.file:write(bytes)
  if not ok then
    failure.raise(self.path .. " cannot be written: " .. tostring(reason), "Check the free disk space.")
  end
end

function wav.create(path, sample_rate, n_channels)
  local file, reason = io.open(path, "wb")
  if not file then
    failure.raise("A file cannot be created: " .. tostring(reason), "Check the permissions of its folder.")
  end
  local self = { file = file, path = path, sample_rate = sample_rate, n_channels = n_channels, n_values = 0 }
  write(self, header(self))
  return setmetatable(self, wav)
end

-- Appends samples, channels interleaved.
function wav:append(values)
  local n_values = #values
  if (self.n_values + n_values) * 4 > LARGEST then
    failure.raise("An item is too long for a WAV file.", "Split the item and separate its parts.")
  end
  local pieces = {}
  local format = "<" .. ("f"):rep(VALUES_PER_PACK)
  local at = 1
  while at <= n_values do
    local last = math.min(at + VALUES_PER_PACK - 1, n_values)
    if last - at + 1 < VALUES_PER_PACK then
      format = "<" .. ("f"):rep(last - at + 1)
    end
    pieces[#pieces + 1] = string.pack(format, table.unpack(values, at, last))
    at = last + 1
  end
  write(self, table.concat(pieces))
  self.n_values = self.n_values + n_values
end

-- Completes the file.
function wav:close()
  self.file:seek("set", 0)
  write(self, header(self))
  local ok, reason = self.file:close()
  self.file = nil
  if not ok then
    failure.raise(self.path .. " cannot be written: " .. tostring(reason), "Check the free disk space.")
  end
end

-- Removes the file; can be called at any time.
function wav:discard()
  if self.file then
    self.file:close()
    self.file = nil
  end
  os.remove(self.path)
end

return wav
