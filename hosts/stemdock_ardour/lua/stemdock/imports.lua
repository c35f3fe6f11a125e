-- Imports sound files as regions of the session.

local part = ...
local failure = part ("failure")

local imports = {}

local function known_regions ()
  local known = {}
  for id in ARDOUR.RegionFactory.regions ():iter () do
    known[id:to_s ()] = true
  end
  return known
end

-- A region of the whole file, which is on no track yet. The file is copied into the session. Its path must be
-- new to the session: of a known one, Ardour asks whether to import it again. On a full disk, Ardour imports
-- without an error what fits, so the length is compared with that of the file, in seconds.
function imports.region (path, duration)
  local known = known_regions ()
  local files = C.StringVector ()
  files:push_back (path)
  Editor:do_import (files, Editing.ImportDistinctFiles, Editing.ImportAsRegion, ARDOUR.SrcQuality.SrcBest,
    ARDOUR.MidiTrackNameSource.SMFTrackName, ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore,
    Temporal.timepos_t (0), ARDOUR.PluginInfo (), ARDOUR.Track (), false)
  for id, region in ARDOUR.RegionFactory.regions ():iter () do
    if not known[id:to_s ()] and region:whole_file ()
      and math.abs (region:length ():samples () - duration * Session:nominal_sample_rate ()) < 2 then
      return ARDOUR.RegionFactory.clone_region (region, true, false)
    end
  end
  failure.raise ("Ardour did not import all of " .. path,
    "Check the permissions and the free disk space of the session's folder. Then import the stems yourself "
    .. "from the folder named above, or separate again.")
end

return imports
