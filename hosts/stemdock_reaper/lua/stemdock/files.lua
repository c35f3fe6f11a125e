-- Small text files.

local files = {}

-- The same separator works on all systems: Windows accepts slashes, too.
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

-- Writes a new file in one step; returns true, or nil and the reason. The file must not exist yet: on
-- Windows, renaming does not replace an existing file.
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

-- The complete lines of a file after a position, and the new position.
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
