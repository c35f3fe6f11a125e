-- Files of lines with fields between tabs. Both sides write % and control characters as %XX.

local tables = {}

local function encoded (value)
  return (tostring (value):gsub ("[%%\0-\31\127]", function (c) return ("%%%02X"):format (c:byte ()) end))
end

local function decoded (text)
  return (text:gsub ("%%(%x%x)", function (code) return string.char (tonumber (code, 16)) end))
end

-- A line from fields.
function tables.line (...)
  local fields = {}
  for index = 1, select ("#", ...) do
    fields[index] = encoded ((select (index, ...)))
  end
  return table.concat (fields, "\t") .. "\n"
end

-- The lines of a file as lists of fields, or nil if it cannot be read.
function tables.read (path)
  local file = io.open (path, "rb")
  if not file then
    return nil
  end
  local rows = {}
  for line in file:lines () do
    local fields = {}
    for field in (line .. "\t"):gmatch ("([^\t]*)\t") do
      fields[#fields + 1] = decoded (field)
    end
    rows[#rows + 1] = fields
  end
  file:close ()
  return rows
end

-- Writes a file in one step; returns true, or nil and the reason.
function tables.write (path, lines)
  local file, reason = io.open (path .. ".part", "wb")
  if not file then
    return nil, reason
  end
  local written, fault = file:write (table.concat (lines))
  local closed, late_fault = file:close ()
  if not (written and closed) then
    os.remove (path .. ".part")
    return nil, fault or late_fault
  end
  return os.rename (path .. ".part", path)
end

return tables
