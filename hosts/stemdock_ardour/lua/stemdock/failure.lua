-- Errors for the user: what happened, and what to do.

local failure = {}

-- Ends the action with a message.
function failure.raise (message, hint)
  error ({ text = hint and message .. "\n\n" .. hint or message }, 0)
end

return failure
