ardour {
  ["type"] = "EditorAction", name = "Remove Stem Tracks", license = "MIT", author = "Stemdock",
  description = [[Removes the stem tracks of the selected tracks, or those that are empty.]]
}

function factory () return function ()
  local folder = @FOLDER@
  local start = os and io and loadfile and loadfile (folder .. "/start.lua")
  if start then start (folder, "remove") else @EXCUSE@ end
end end
