-- What surrounds the script in the model: proxies for REAPER's functions, and files with a will of their own.

local bridge = ...

local function locked(what)
  return function(_, key)
    bridge.refuse(("%s has no %s"):format(what, tostring(key)))
  end
end

function bridge.new_handle(id, label)
  return setmetatable({ id = id }, {
    __index = locked("a pointer"), __newindex = locked("a pointer"), __metatable = false,
    __tostring = function() return label end,
  })
end

local function new_array(size, most)
  if type(size) ~= "number" or most ~= nil or size < 1 or size > 4000000 then
    bridge.refuse("new_array: bad size")
  end
  local values = {}
  for index = 1, size do
    -- Whatever was in that memory.
    values[index] = 0.123
  end
  local array = {}
  function array.clear(value, ...)
    if value ~= nil or select("#", ...) > 0 then bridge.refuse("array.clear is called with a dot") end
    for index = 1, size do values[index] = 0 end
    return array
  end
  function array.table(from, count)
    if type(from) ~= "number" or from < 1 or from + count - 1 > size then bridge.refuse("array.table: bad range") end
    return table.move(values, from, from + count - 1, 1, {})
  end
  bridge.arrays[array] = values
  return setmetatable(array, { __index = locked("an array"), __newindex = locked("an array") })
end

reaper = setmetatable({ new_array = new_array }, {
  __index = function(_, name)
    if not bridge.exists(name) then
      return nil
    end
    local function proxy(...)
      return bridge.call(name, select("#", ...), ...)
    end
    return proxy
  end,
  __newindex = locked("reaper"),
})

gfx = setmetatable({}, {
  __index = function(_, name)
    if bridge.is_gfx_variable(name) then
      return bridge.get_gfx(name)
    end
    return function(...) return bridge.call_gfx(name, select("#", ...), ...) end
  end,
  __newindex = function(_, name, value) bridge.set_gfx(name, value) end,
})

-- Files behave as the system that is modelled.
local open, rename = io.open, os.rename

function io.open(path, mode)
  local answer = bridge.on_open(path, mode or "r")
  if answer == "denied" then
    return nil, path .. ": Permission denied", 13
  elseif answer == "full" then
    return open("/dev/full", mode)
  end
  return open(path, mode)
end

function os.rename(from, to)
  if bridge.is_windows() then
    local there = open(to, "rb")
    if there then
      there:close()
      return nil, to .. ": File exists", 17
    end
  end
  return rename(from, to)
end

local function blocking() bridge.refuse("a shell command freezes REAPER, and lets file names be commands") end
os.execute, io.popen = blocking, blocking
os.exit = function() bridge.refuse("os.exit ends REAPER") end
