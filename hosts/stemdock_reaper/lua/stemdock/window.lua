-- The progress window. Users of screen readers can switch it off, since its text is a picture.

local window = {}
window.__index = window

local WIDTH, HEIGHT, MARGIN, BAR_HEIGHT = 460, 140, 16, 18
-- Seconds; estimates below are not worth a number.
local ALMOST = 5
local ESCAPE, CLOSED = 27, -1

function window.open(visible)
  if visible then
    gfx.init("Stemdock", WIDTH, HEIGHT, 0)
    gfx.setfont(1, "Arial", 15)
  end
  return setmetatable({ visible = visible }, window)
end

-- Whether the user has cancelled.
function window:is_cancelled()
  if not self.visible then
    return false
  end
  local key = gfx.getchar()
  return key == ESCAPE or key == CLOSED
end

local function write(text, y, brightness)
  gfx.set(brightness, brightness, brightness, 1)
  gfx.x, gfx.y = MARGIN, y
  gfx.drawstr(text, 0, gfx.w - MARGIN, gfx.h)
end

-- The remaining time, roughly.
local function remaining_text(seconds)
  if seconds < ALMOST then
    return "a few seconds left"
  end
  local rounded = 5 * math.floor(seconds / 5 + 0.5)
  if rounded < 60 then
    return ("about %d s left"):format(rounded)
  end
  return ("about %d min left"):format(math.max(1, math.floor(seconds / 60 + 0.5)))
end

-- `remaining` is in seconds, and nil if it is unknown.
function window:show(fraction, text, hint, remaining)
  if not self.visible then
    return
  end
  gfx.set(0.17, 0.17, 0.17, 1)
  gfx.rect(0, 0, gfx.w, gfx.h, 1)
  local width = gfx.w - 2 * MARGIN
  gfx.set(0.3, 0.3, 0.3, 1)
  gfx.rect(MARGIN, 44, width, BAR_HEIGHT, 1)
  gfx.set(0.35, 0.7, 0.55, 1)
  gfx.rect(MARGIN, 44, math.floor(width * math.max(0, math.min(1, fraction)) + 0.5), BAR_HEIGHT, 1)
  write(("%s: %d %%"):format(text, math.floor(fraction * 100)), MARGIN, 0.9)
  write(hint or "To cancel, press Esc or close this window.", 102, 0.65)
  if type(remaining) == "number" then
    write(remaining_text(remaining), 74, 0.65)
  end
  gfx.update()
end

function window:close()
  if self.visible then
    gfx.quit()
    self.visible = false
  end
end

return window
