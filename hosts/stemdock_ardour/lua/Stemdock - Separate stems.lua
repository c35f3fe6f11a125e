ardour {
  ["type"] = "EditorAction", name = "Separate Stems", license = "MIT", author = "Stemdock",
  description = [[Separates the selected audio regions into stems, on tracks below their own.]]
}

-- Ardour keeps this function only, so the rest of the script is loaded at each use; in its sandbox, nothing can be.
function factory () return function ()
  local folder = @FOLDER@
  local start = os and io and loadfile and loadfile (folder .. "/start.lua")
  if start then start (folder, "separate") else @EXCUSE@ end
end end
