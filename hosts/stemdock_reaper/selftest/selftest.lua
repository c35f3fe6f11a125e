-- Checks in a real REAPER what Stemdock's own tests check against a model of REAPER. Open test.rpp, run
-- this script from the Actions list, wait, and read report.txt beside it.

local _, path = reaper.get_action_context()
local folder = path:match("^(.*[/\\])")
local part = assert(loadfile(folder .. "stemdock/start.lua"))(folder)
local files, json = part("files"), part("json")
local items, job, peaks, place = part("items"), part("job"), part("peaks"), part("place")

local plan = assert(json.decode(assert(files.read(folder .. "plan.json"))))
local project = reaper.EnumProjects(-1)
local report = {}
local n_failed = 0

local RATE = 44100
-- Channels of the test files.
local N_CHANNELS = 2
local WAIT = 120

local function add_line(verdict, name, detail)
  report[#report + 1] = ("%s  %s%s"):format(verdict, name, detail and ": " .. detail or "")
  if verdict == "FAIL" then
    n_failed = n_failed + 1
  end
end

-- Runs one check, which returns whether it passed, and the details.
local function check(name, action)
  local ok, good, detail = xpcall(action, debug.traceback)
  if ok then
    add_line(good and "PASS" or "FAIL", name, detail)
  else
    add_line("FAIL", name, tostring(good))
  end
end

local function item_of(track_name)
  for index = 0, reaper.CountTracks(project) - 1 do
    local track = reaper.GetTrack(project, index)
    local _, name = reaper.GetTrackName(track)
    if name == track_name then
      return reaper.GetTrackMediaItem(track, 0), track
    end
  end
  error("track " .. track_name .. " is missing: open test.rpp and run this script again")
end

-- Time and height of the loudest sample of an item.
local function find_click(item)
  local accessor = reaper.CreateTakeAudioAccessor(reaper.GetActiveTake(item))
  local length = math.floor(reaper.GetMediaItemInfo_Value(item, "D_LENGTH") * RATE)
  local buffer = reaper.new_array(length * N_CHANNELS)
  buffer.clear()
  reaper.GetAudioAccessorSamples(accessor, RATE, N_CHANNELS, 0, length, buffer)
  reaper.DestroyAudioAccessor(accessor)
  local loudest, place_of_it = 0, 1
  for index, value in ipairs(buffer.table(1, length * N_CHANNELS)) do
    if math.abs(value) > loudest then
      loudest, place_of_it = math.abs(value), index
    end
  end
  return (place_of_it - 1) // N_CHANNELS / RATE, loudest
end

local function check_clicks()
  for _, click in ipairs(plan.clicks) do
    check(click.name, function()
      local time, height = find_click((item_of(click.track)))
      local good = math.abs(time - click.time) <= 0.002 and math.abs(height - plan.height) <= click.tolerance
      return good, ("click at %.4f s, height %.3f; expected %.4f s, %.3f"):format(
        time, height, click.time, plan.height)
    end)
  end
end

local function check_files()
  check("files with names in other alphabets", function()
    local name = folder .. "Prüfung 試験.txt"
    os.remove(name)
    local ok, reason = files.write(name, "x")
    return ok and reaper.file_exists(name) and files.read(name) == "x", reason
  end)
  check("a window opens", function()
    local opened = gfx.init("Stemdock", 200, 60, 0)
    local width = gfx.w
    gfx.quit()
    return opened ~= 0 and width > 0, ("width %d"):format(math.floor(width))
  end)
  check("the action is in the Actions list", function()
    local id = reaper.NamedCommandLookup("_" .. plan.action)
    return id ~= 0, id == 0 and "not found; run `plugin-cli reaper install` and restart REAPER"
      or "command " .. id
  end)
end

-- Places stems on one item of the test project.
local placing = {}

local function check_placing()
  check("stems are placed in one step", function()
    local item, track = item_of("plain")
    local take = reaper.GetActiveTake(item)
    local _, take_guid = reaper.GetSetMediaItemTakeInfo_String(take, "GUID", "", false)
    local position = reaper.GetMediaItemInfo_Value(item, "D_POSITION")
    local length = reaper.GetMediaItemInfo_Value(item, "D_LENGTH")
    placing.piece = {
      item = item, guid = items.guid(item), take = take, take_guid = take_guid, name = "plain",
      position = position, length = length, rate = 1, offset = 0, first = position, last = position + length,
      from = 0, to = length, path = plan.stem,
    }
    placing.n_tracks = reaper.CountTracks(project)
    local stems = {
      { name = "a", title = "A", path = plan.stem }, { name = "b", title = "B", path = plan.stem },
    }
    placing.takes = place.commit(project, { { id = "s1", name = "plain", pieces = { placing.piece } } }, {
      output_dir = folder, sources = { { id = "s1", status = "ok", start = 0, stems = stems } },
    }, { mute = true }, {})
    local index = math.floor(reaper.GetMediaTrackInfo_Value(track, "IP_TRACKNUMBER"))
    local depths = {}
    for number = 0, 2 do
      local new = reaper.GetTrack(project, index + number)
      depths[#depths + 1] = math.floor(reaper.GetMediaTrackInfo_Value(new, "I_FOLDERDEPTH"))
    end
    local found = table.concat(depths, " ")
    return found == "1 0 -1" and reaper.CountTracks(project) == placing.n_tracks + 3, "folder depths " .. found
  end)
end

local function check_undo()
  check("one undo removes the stems", function()
    local name = tostring(reaper.Undo_CanUndo2(project))
    reaper.Undo_DoUndo2(project)
    local n_tracks = reaper.CountTracks(project)
    return n_tracks == placing.n_tracks, ("undid %q; %d tracks, before %d"):format(name, n_tracks, placing.n_tracks)
  end)
  check("an item is found again after undo", function()
    local item = items.find(project, placing.piece)
    return item ~= nil and reaper.GetMediaItemInfo_Value(item, "B_MUTE") == 0
  end)
end

local function finish()
  report[#report + 1] = n_failed == 0 and "All checks passed." or "Failed checks: " .. n_failed
  local text = table.concat(report, "\n") .. "\n"
  os.remove(folder .. "report.txt")
  files.write(folder .. "report.txt", text)
  reaper.ShowConsoleMsg(text)
  reaper.ShowMessageBox(text, "Stemdock selftest", 0)
end

local run, began

local function wait_for_worker()
  local ok, result = pcall(run.poll, run)
  local waited = reaper.time_precise() - began
  if ok and not result and waited < WAIT then
    reaper.defer(wait_for_worker)
    return
  end
  check("the worker does a job in the background", function()
    local problem = not ok and type(result) == "table" and result.message or not ok and result
    return ok and result ~= nil and result.status == "ok",
      tostring(problem or ("%.1f s; see %s"):format(waited, run.folder))
  end)
  finish()
end

local function start_worker()
  check("ExecProcess does not wait", function()
    run = job.create(folder .. "jobs")
    began = reaper.time_precise()
    run:start({
      output_dir = folder .. "stems", model = "2stems",
      sources = { { id = "s1", name = "selftest", path = plan.stem, start = 0, duration = 2 } },
    }, { command = plan.command })
    local took = reaper.time_precise() - began
    return took < 0.5, ("returned after %.2f s"):format(took)
  end)
  if run and run.started then
    reaper.defer(wait_for_worker)
  else
    finish()
  end
end

local drawing

local function draw_peaks()
  local ok, done = pcall(drawing.step, drawing)
  if ok and not done and reaper.time_precise() - began < WAIT then
    reaper.defer(draw_peaks)
    return
  end
  check("waveforms are drawn", function()
    return ok and done == true, ok and ("%.1f s"):format(reaper.time_precise() - began) or tostring(done)
  end)
  check_undo()
  start_worker()
end

report[1] = ("Stemdock %s, REAPER %s, %s, %s"):format(plan.version, reaper.GetAppVersion(), reaper.GetOS(), _VERSION)
check_clicks()
check_files()
check_placing()
if placing.takes then
  drawing, began = peaks.start(project, placing.takes), reaper.time_precise()
  reaper.defer(draw_peaks)
else
  start_worker()
end
