-- Errors for the user: what happened, and what to do.

local failure = {}
failure.__index = failure

-- Ends the run with a message.
function failure.raise(message, hint)
  error(setmetatable({ message = message, hint = hint or "" }, failure), 0)
end

-- For xpcall: returns a failure unchanged, and turns any other error into one with its traceback.
function failure.describe(problem)
  if getmetatable(problem) == failure then
    return problem
  end
  return setmetatable({
    message = "An internal error occurred in Stemdock.\n\n" .. debug.traceback(tostring(problem), 2),
    hint = "Please report this error with the text above.",
  }, failure)
end

function failure:text()
  if self.hint == "" then
    return self.message
  end
  return self.message .. "\n\n" .. self.hint
end

return failure
