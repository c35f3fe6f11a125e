-- Builds the waveforms of new takes, a little in each cycle.

local peaks = {}
peaks.__index = peaks

local BEGIN, CONTINUE, FINISH = 0, 1, 2

function peaks.start(project, takes)
  return setmetatable({ project = project, takes = takes, index = 0 }, peaks)
end

-- The source of the current take, or nil if an undo has deleted the take.
local function current_source(self)
  local take = self.takes[self.index]
  if take and reaper.ValidatePtr2(self.project, take, "MediaItem_Take*") then
    return reaper.GetMediaItemTake_Source(take)
  end
end

-- Works for a moment; returns true when all waveforms are drawn.
function peaks:step()
  local source = self.is_building and current_source(self)
  if source then
    if reaper.PCM_Source_BuildPeaks(source, CONTINUE) ~= 0 then
      return false
    end
    reaper.PCM_Source_BuildPeaks(source, FINISH)
  end
  self.is_building = false
  self.index = self.index + 1
  if self.index > #self.takes then
    reaper.UpdateArrange()
    return true
  end
  source = current_source(self)
  self.is_building = source ~= nil and reaper.PCM_Source_BuildPeaks(source, BEGIN) ~= 0
  return false
end

function peaks:fraction()
  return #self.takes == 0 and 1 or math.min(1, self.index / #self.takes)
end

return peaks
