-- Jobs: folders with request.tsv of this script and result.tsv of the program. The list of all jobs tells the
-- hook, which shares nothing with the action, where they are.

local part = ...
local failure = part ("failure")
local settings = part ("settings")
local shell = part ("shell")
local tables = part ("tables")

local jobs = {}

local FOLDER = part ("folder") .. "/jobs"
local LIST = FOLDER .. "/list.tsv"
local START_TIME = 60 -- seconds; slow computers need many
local ANSWER_TIME = 5 -- seconds between the worker's result and that for this script
local STILL_TIME = 120 -- seconds; a worker writes about its progress every second

local function refuse (reason)
  failure.raise ("The job cannot be written: " .. tostring (reason),
    "Check the permissions and the free disk space of " .. FOLDER)
end

-- Creates the folder of a new job, which only this user can enter.
local function new_folder ()
  local name = os.date ("%m%d-%H%M%S-") .. math.random (1000000)
  local folder = FOLDER .. "/" .. name
  if not os.execute ("mkdir -m 700 -p " .. shell.quoted (FOLDER) .. " && mkdir -m 700 " .. shell.quoted (folder)) then
    refuse (folder)
  end
  return folder
end

local function has (job, name)
  return ARDOUR.LuaAPI.file_test (job.folder .. "/" .. name, ARDOUR.LuaAPI.FileTest.Exists)
end

local function file_size (path)
  local file = io.open (path, "rb")
  if not file then
    return 0
  end
  local size = file:seek ("end")
  file:close ()
  return size
end

-- Starts the program that does a job.
local function run (folder)
  local command = settings.command ("work")
  command[#command + 1] = folder
  os.forkexec (table.unpack (command)) -- its result does not say whether the program started
end

local function request (pieces, options)
  local lines = {
    tables.line ("session", Session:name (), math.floor (Session:nominal_sample_rate ())),
    tables.line ("options", options.model, options.stem or "", options.remainder and "remainder" or "",
      options.mute and "mute" or "", options.sums),
  }
  for number, piece in ipairs (pieces) do
    lines[#lines + 1] = tables.line ("piece", number, piece.name, piece.start, piece.length, piece.position,
      piece.region, piece.track)
    for _, channel in ipairs (piece.channels) do
      lines[#lines + 1] = tables.line ("channel", channel.path, channel.number)
    end
  end
  return lines
end

-- Writes a job, and starts the program.
function jobs.start (pieces, faults, options)
  local folder = new_folder ()
  local lines = request (pieces, options)
  for _, fault in ipairs (faults) do
    lines[#lines + 1] = tables.line ("note", fault)
  end
  local ok, reason = tables.write (folder .. "/request.tsv", lines)
  if not ok then
    refuse (reason)
  end
  local list
  list, reason = io.open (LIST, "ab")
  if not (list and list:write (tables.line (Session:path (), folder)) and list:close ()) then
    refuse (reason)
  end
  run (folder)
end

-- The size of the list, which grows with each job.
function jobs.list_size ()
  return file_size (LIST)
end

-- The jobs of the list that have not been placed: for each its folder and the session's path.
function jobs.waiting ()
  local found = {}
  for _, row in ipairs (tables.read (LIST) or {}) do
    local job = { folder = row[2] or "", session = row[1], since = os.time () }
    if has (job, "request.tsv") and not has (job, "placed") then
      found[#found + 1] = job
    end
  end
  return found
end

-- Whether the job's folder has been removed.
function jobs.has_gone (job)
  return not has (job, "request.tsv")
end

-- Whether the program should have taken a job by now, and has not.
function jobs.is_stuck (job)
  return os.time () - job.since > START_TIME and not has (job, "job.json")
end

-- Starts the program again, once, if it was ended before it could pass the worker's result on, as at a logout,
-- or if the worker was ended, too, as at a power failure: then the program says that the job was interrupted.
function jobs.see_to (job)
  local is_over = has (job, "result.json")
  local size = is_over and "over" or file_size (job.folder .. "/progress.jsonl")
  if job.size ~= size then
    job.size, job.changed = size, job.changed == math.huge and math.huge or os.time ()
  elseif os.time () - job.changed > (is_over and ANSWER_TIME or STILL_TIME) then
    job.changed = math.huge
    run (job.folder)
  end
end

-- Marks a job, so that it is placed once.
function jobs.mark (job)
  local file, reason = io.open (job.folder .. "/placed", "wb")
  if not (file and file:close ()) then
    refuse (reason)
  end
end

return jobs
