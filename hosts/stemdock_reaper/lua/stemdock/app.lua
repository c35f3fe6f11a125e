-- The action: a chain of phases; REAPER runs one small step in each cycle of its interface.

local part = ...
local failure = part("failure")
local files = part("files")
local items = part("items")
local job = part("job")
local peaks = part("peaks")
local place = part("place")
local render = part("render")
local settings = part("settings")
local sources = part("sources")
local window = part("window")

local app = {}

local TITLE = "Stemdock"
local OK_AND_CANCEL, OK = 1, 1

local run
local phases = {}

-- Removes rendered files, unless a worker has started: the worker removes its own input.
local function discard_renderings()
  if run.rendering then
    run.rendering:discard()
    run.rendering = nil
  end
  if not run.job.spoken then
    for _, path in ipairs(run.rendered) do
      os.remove(path)
    end
  end
end

-- Ends the run and removes everything except the stems.
local function clean_up()
  if run.job then
    run.job:cancel()
    discard_renderings()
  end
  run.window:close()
end

local function finish(text)
  clean_up()
  run.phase = nil
  if text and text ~= "" then
    reaper.ShowMessageBox(text, TITLE, 0)
  end
end

-- Renders the sources that cannot be read from their files, one after the other.
function phases.render()
  if run.rendering then
    local done, reason = run.rendering:step(run.project)
    if done == false then
      return "render"
    end
    run.rendering.source.path = done and run.rendering.path or nil
    run.notes[#run.notes + 1] = reason
    run.rendering = nil
  end
  for _, source in ipairs(run.planned) do
    if source.render then
      source.render = nil
      local path = files.join(run.job.folder, source.id .. ".wav")
      table.insert(run.rendered, path)
      run.rendering = render.start(source.pieces[1], path)
      run.rendering.source = source
      return "render"
    end
  end
  return "submit"
end

function phases.submit()
  local wanted, ready = {}, {}
  for _, source in ipairs(run.planned) do
    if source.path then
      ready[#ready + 1] = source
      wanted[#wanted + 1] = sources.describe(source)
    end
  end
  if #ready == 0 then
    failure.raise("No item could be separated.", table.concat(run.notes, "\n"))
  end
  run.planned = ready
  run.job:start({
    output_dir = reaper.GetProjectPathEx(run.project, ""),
    model = run.options.model,
    stems = run.options.stems,
    host = { name = "REAPER", version = reaper.GetAppVersion() },
    sources = wanted,
  }, run.config)
  return "wait"
end

function phases.wait()
  run.result = run.job:poll()
  local question = run.job:question()
  if question then
    if reaper.ShowMessageBox(question, TITLE, OK_AND_CANCEL) ~= OK then
      return nil
    end
    run.job:allow_download()
  end
  return run.result and "place" or "wait"
end

function phases.place()
  if run.result.status == "cancelled" then
    return nil
  end
  local takes = place.commit(run.project, run.planned, run.result, run.options, run.notes)
  run.peaks = peaks.start(run.project, takes)
  return "peaks"
end

function phases.peaks()
  return run.peaks:step() and "close" or "peaks"
end

function phases.close()
  local text = table.concat(run.notes, "\n")
  if text == "" and not run.options.window then
    text = "The stems are in the project."
  end
  finish(text)
end

local function show_progress()
  if run.rendering then
    run.window:show(run.rendering:fraction(), "Reading " .. run.rendering.piece.name)
  elseif run.peaks then
    run.window:show(run.peaks:fraction(), "Drawing waveforms")
  else
    local is_waiting = run.phase == "wait"
    run.window:show(run.job.fraction, run.job.text, is_waiting and run.job:hint() or nil,
      is_waiting and run.job.remaining or nil)
  end
end

local function step()
  -- After the stems are in the project, closing the window only stops the drawing.
  if run.window:is_cancelled() then
    finish(run.peaks and table.concat(run.notes, "\n"))
    return
  end
  run.phase = phases[run.phase]()
  if run.phase then
    show_progress()
  end
end

local function guarded(action)
  local ok, problem = xpcall(action, failure.describe)
  if not ok then
    finish(problem:text())
  end
end

local function cycle()
  guarded(step)
  if run.phase then
    reaper.defer(cycle)
  else
    clean_up()
  end
end

local function prepare()
  run.config = settings.config()
  local pieces, notes = items.collect(run.project)
  run.notes, run.planned, run.rendered = notes, sources.plan(pieces), {}
  run.job = job.create(files.join(settings.folder(), "jobs"))
  run.window = window.open(run.options.window)
  run.phase = "render"
end

-- Separates the selected items; `choice` overrides the settings.
function app.start(choice)
  -- A second start ends the first. Before version 7.03, the entry in the Actions list does that.
  if reaper.set_action_options then
    reaper.set_action_options(1)
  end
  local options = settings.read()
  for key, value in pairs(choice) do
    options[key] = value
  end
  run = { project = reaper.EnumProjects(-1), options = options, window = window.open(false) }
  reaper.atexit(clean_up)
  guarded(prepare)
  if run.phase then
    reaper.defer(cycle)
  end
end

return app
