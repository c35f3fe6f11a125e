-- Looks twice a second for jobs of this session that are over, and places their stems.

local part = ...
local failure = part ("failure")
local guarded = part ("guarded")
local jobs = part ("jobs")
local place = part ("place")
local tables = part ("tables")

local EVERY = 5 -- ticks

local ticks, size, is_busy = 0, -1, false
local waiting = {}

-- A job of this session; its path changes when the session is saved under another name.
local function is_ours (job)
  if job.session == Session:path () then
    job.is_ours = true
  end
  return job.is_ours and (job.session == Session:path () or place.finds_regions (job.folder))
end

local function look ()
  local found = jobs.list_size ()
  if found ~= size then
    size = found
    local known = {}
    for _, job in ipairs (waiting) do
      known[job.folder] = job
    end
    waiting = {}
    for _, job in ipairs (jobs.waiting ()) do
      waiting[#waiting + 1] = known[job.folder] or job
    end
  end
  for index, job in ipairs (waiting) do
    if jobs.has_gone (job) then -- cancelled
      table.remove (waiting, index)
      return
    end
    -- Importing would disturb a recording.
    if is_ours (job) and not Session:actively_recording () then
      local result = tables.read (job.folder .. "/result.tsv")
      if result then
        table.remove (waiting, index)
        jobs.mark (job)
        place.all (job.folder, result)
        return
      elseif jobs.is_stuck (job) then
        table.remove (waiting, index)
        jobs.mark (job)
        failure.raise ("Stemdock did not start.", "To find the cause, run in a terminal: plugin-cli ardour doctor")
      end
      jobs.see_to (job)
    end
  end
end

return function ()
  ticks = ticks + 1
  -- Importing runs Ardour's interface, and so this function, too.
  if ticks % EVERY ~= 0 or is_busy then
    return
  end
  is_busy = true
  guarded (look)
  is_busy = false
end
