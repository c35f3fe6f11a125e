-- Turns pieces into the sources of a job.

local sources = {}

-- Seconds. Up to this gap between two parts of a file, separating the gap costs less than another start.
local NEAR = 10

local function by_path_and_start(one, other)
  if one.path ~= other.path then
    return one.path < other.path
  end
  return one.from < other.from
end

-- One source for each file, or for each distant part of it, with the pieces that use it; and one source
-- for each piece that must be rendered.
function sources.plan(pieces)
  local plain, planned = {}, {}
  for _, piece in ipairs(pieces) do
    if piece.path then
      plain[#plain + 1] = piece
    else
      planned[#planned + 1] = { name = piece.name, start = 0, pieces = { piece }, render = true }
    end
  end
  table.sort(plain, by_path_and_start)
  local current
  for _, piece in ipairs(plain) do
    local from = math.max(0, piece.from)
    if current and current.path == piece.path and from <= current.stop + NEAR then
      current.stop = math.max(current.stop, piece.to)
      table.insert(current.pieces, piece)
    else
      current = { name = piece.name, path = piece.path, start = from, stop = piece.to, pieces = { piece } }
      planned[#planned + 1] = current
    end
  end
  for index, source in ipairs(planned) do
    source.id = "s" .. index
  end
  return planned
end

-- The description of a source in the job file.
function sources.describe(source)
  return {
    id = source.id,
    name = source.name,
    path = source.path,
    start = source.start,
    duration = source.stop and source.stop - source.start or nil,
  }
end

return sources
