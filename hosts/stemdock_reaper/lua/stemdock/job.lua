-- The script's side of the job folder: writes job.json, download and cancel, reads progress.jsonl and result.json.

local part = ...
local failure = part("failure")
local files = part("files")
local json = part("json")

local job = {}
job.__index = job

local PROTOCOL = 2
-- Seconds until the worker's first line; slow computers with a virus scanner need many.
local START_TIMEOUT = 60
-- Seconds without a line after which a hint is shown; the job continues.
local QUIET = 120

-- Creates the job folder.
function job.create(jobs_folder)
  local guid = reaper.genGuid(""):gsub("[{}]", "")
  local folder = files.join(jobs_folder, guid)
  reaper.RecursiveCreateDirectory(folder, 0)
  return setmetatable({ folder = folder, position = 0, fraction = 0, text = "Starting" }, job)
end

-- Quotes one argument of a command line. Windows has its own rule for backslashes; on other systems,
-- REAPER splits the line itself and knows three kinds of quotes, but no escapes.
local function quoted(text)
  if reaper.GetOS():match("^Win") then
    return '"' .. text:gsub('(\\*)"', '%1%1\\"'):gsub("(\\+)$", "%1%1") .. '"'
  end
  for quote in ("\"'`"):gmatch(".") do
    if not text:find(quote, 1, true) then
      return quote .. text .. quote
    end
  end
  failure.raise("REAPER cannot start a program with all three kinds of quotation marks in its path:\n" .. text,
    "Rename one of the folders in this path.")
end

function job.command_line(words)
  local pieces = {}
  for index, word in ipairs(words) do
    pieces[index] = quoted(word)
  end
  return table.concat(pieces, " ")
end

-- Writes the job and starts the worker.
function job:start(content, config)
  content.protocol = PROTOCOL
  local ok, reason = files.write(files.join(self.folder, "job.json"), json.encode(content))
  if not ok then
    failure.raise("The job cannot be written: " .. tostring(reason),
      "Check the permissions and the free disk space of " .. self.folder)
  end
  self.started = reaper.time_precise()
  self.heard = self.started
  self.config = config
  local program = config.command[1]
  if not program then
    self.text = "Waiting for: plugin-cli reaper serve"
    return
  end
  if not reaper.file_exists(program) then
    failure.raise("Stemdock's program does not exist: " .. program, "Run in a terminal: plugin-cli reaper install")
  end
  local words = { table.unpack(config.command) }
  words[#words + 1] = self.folder
  self.command = job.command_line(words)
  -- Its result for background programs is not documented; the first progress line shows the start.
  reaper.ExecProcess(self.command, -1)
end

local function read_progress(self)
  local lines
  lines, self.position = files.read_lines(files.join(self.folder, "progress.jsonl"), self.position)
  for _, line in ipairs(lines) do
    self.heard, self.spoken = reaper.time_precise(), true
    local progress = json.decode(line)
    if type(progress) == "table" then
      self.fraction = tonumber(progress.fraction) or self.fraction
      self.text = tostring(progress.text or self.text)
      self.state, self.remaining = progress.state, progress.remaining
    end
  end
end

local function is_stem(stem)
  return type(stem) == "table" and type(stem.name) == "string" and type(stem.title) == "string"
    and type(stem.path) == "string"
end

-- Whether an entry has everything that is needed to place its stems, or an error.
local function is_entry(entry)
  if type(entry) ~= "table" or type(entry.id) ~= "string" or entry.status ~= "ok" then
    return type(entry) == "table" and entry.status == "error" and type(entry.error) == "table"
  end
  for _, stem in ipairs(type(entry.stems) == "table" and entry.stems or {}) do
    if not is_stem(stem) then
      return false
    end
  end
  for _, damage in ipairs(type(entry.damage) == "table" and entry.damage or {}) do
    if type(damage) ~= "string" then
      return false
    end
  end
  return type(entry.start) == "number" and type(entry.stems) == "table" and #entry.stems > 0
end

local function is_result(result)
  if type(result) ~= "table" or result.protocol ~= PROTOCOL or type(result.status) ~= "string" then
    return false
  end
  for _, entry in ipairs(type(result.sources) == "table" and result.sources or {}) do
    if not is_entry(entry) then
      return false
    end
  end
  return result.status ~= "ok" or type(result.sources) == "table"
end

local function read_result(self)
  local content = files.read(files.join(self.folder, "result.json"))
  if not content then
    return nil
  end
  self.finished = true
  local result = json.decode(content)
  if not is_result(result) then
    failure.raise("The result cannot be read.", "Start the action again. The files of this run are in " .. self.folder)
  end
  if result.status == "error" then
    local problem = type(result.error) == "table" and result.error or {}
    failure.raise(tostring(problem.message or "The separation failed."),
      tostring(problem.hint or "") .. "\nDetails: " .. files.join(self.folder, "log.txt"))
  end
  return result
end

-- Reads new progress; returns the result when it exists.
function job:poll()
  read_progress(self)
  local result = read_result(self)
  if not result and not self.spoken and self.command
    and reaper.time_precise() - self.started > (tonumber(self.config.start_timeout) or START_TIMEOUT) then
    failure.raise("Stemdock did not start:\n" .. self.command,
      "To find the cause, run in a terminal: plugin-cli reaper doctor")
  end
  return result
end

-- The worker's question whether it may download the model, until it is answered; otherwise nil.
function job:question()
  if self.state == "asking" and not self.allowed and not self.finished then
    return self.text
  end
end

-- Lets the worker download the model.
function job:allow_download()
  local ok, reason = files.write(files.join(self.folder, "download"), "")
  if not ok then
    failure.raise("The download cannot be allowed: " .. tostring(reason),
      "Check the permissions and the free disk space of " .. self.folder)
  end
  self.allowed = true
end

-- A hint to show below the progress, or nil.
function job:hint()
  local quiet = reaper.time_precise() - self.heard
  if self.spoken and quiet > QUIET then
    return ("No progress for %d s. Stemdock may still be working. To cancel, press Esc."):format(quiet // 1)
  end
end

-- Asks the worker to stop, unless it has finished.
function job:cancel()
  if self.started and not self.finished then
    files.write(files.join(self.folder, "cancel"), "")
    self.finished = true
  end
end

return job
