-- Errors meant for people: what happened, and what to do about it.

local failure = {}
failure.__index = failure

-- Ends the run with a message.
function failure.raise(message, hint)
  error(setmetatable({ message = message, hint = hint or "" }, failure), 0)
end

-- What xpcall is to make of an error: a failure as it is, or else a fault of ours with its place.
function failure.describe(problem)
  if getmetatable(problem) == failure then
    return problem
  end
  return setmetatable({
    message = "Stemdock met a fault of its own.\n\n" .. debug.traceback(tostring(problem), 2),
    hint = "Please report it with this text.",
  }, failure)
end

function failure:text()
  if self.hint == "" then
    return self.message
  end
  return self.message .. "\n\n" .. self.hint
end

return failure
