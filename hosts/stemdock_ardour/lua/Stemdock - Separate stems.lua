ardour {
  ["type"] = "EditorAction", name = "Separate Stems", license = "MIT", author = "Stemdock",
  description = [[Separates the selected audio regions into stems, on tracks below their own.]]
}

-- Ardour keeps this function only, so the rest of the script is loaded at each use.
function factory () return function ()
  local folder = @FOLDER@
  local start = loadfile (folder .. "/start.lua")
  if start then start (folder, "separate") else @MOVED@ end
end end
