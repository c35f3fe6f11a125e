-- Small text files.

local files = {}

-- The separator is the same on all systems: Windows takes slashes too.
function files.join(folder, name)
  return folder .. "/" .. name
end

-- The content of a file, or nil if it cannot be read.
function files.read(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local content = file:read("a")
  file:close()
  return content
end

-- Writes a new file, which appears complete; returns true, or nil and the reason. There must be none of
-- that name: on Windows a rename does not replace what is there.
function files.write(path, content)
  local staged = path .. ".part"
  local file, reason = io.open(staged, "wb")
  if not file then
    return nil, reason
  end
  local written, fault = file:write(content)
  local closed, late_fault = file:close()
  if not (written and closed) then
    os.remove(staged)
    return nil, fault or late_fault
  end
  return os.rename(staged, path)
end

-- What has been appended to a file since a position, in whole lines, and the new position.
function files.read_lines(path, position)
  local lines = {}
  local file = io.open(path, "rb")
  if not file then
    return lines, position
  end
  file:seek("set", position)
  local fresh = file:read("a") or ""
  file:close()
  for line in fresh:gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line
    position = position + #line + 1
  end
  return lines, position
end

return files
