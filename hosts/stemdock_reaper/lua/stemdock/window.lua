-- The progress window. Users of screen readers can switch it off, since its text is a picture.

local window = {}
window.__index = window

local WIDTH, HEIGHT, MARGIN, BAR_HEIGHT = 460, 120, 16, 18
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

function window:show(fraction, text, hint, left)
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
  write(("%s: %d %%"):format(text, math.floor(fraction * 100)) .. (left and ", " .. left or ""), MARGIN, 0.9)
  write(hint or "To cancel, press Esc or close this window.", 78, 0.65)
  gfx.update()
end

function window:close()
  if self.visible then
    gfx.quit()
    self.visible = false
  end
end

return window
