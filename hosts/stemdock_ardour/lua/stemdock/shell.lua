-- Words for a command line of the shell.

local shell = {}

function shell.quoted (text)
  return "'" .. text:gsub ("'", "'\\''") .. "'"
end

return shell
