-- Encodes and decodes the JSON of the job folder.

local json = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }
local UNESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function encode_string(text)
  return '"' .. text:gsub('[%c"\\\127]', function(character)
    return ESCAPES[character] or ("\\u%04x"):format(character:byte())
  end) .. '"'
end

-- Tables with a first element become arrays, all other tables objects.
function json.encode(value)
  local kind = type(value)
  if kind == "string" then
    return encode_string(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "number" then
    assert(value == value and math.abs(value) < math.huge, "not a finite number")
    -- Some locales write a decimal comma.
    return (("%.17g"):format(value):gsub(",", "."))
  end
  assert(kind == "table", "cannot be written as JSON: " .. kind)
  local pieces = {}
  if value[1] ~= nil then
    for index, element in ipairs(value) do
      pieces[index] = json.encode(element)
    end
    return "[" .. table.concat(pieces, ",") .. "]"
  end
  for key, element in pairs(value) do
    pieces[#pieces + 1] = encode_string(key) .. ":" .. json.encode(element)
  end
  table.sort(pieces)
  return "{" .. table.concat(pieces, ",") .. "}"
end

local decode_value

local function skip_blanks(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function decode_unicode(text, at)
  local code = assert(tonumber(text:match("^%x%x%x%x", at), 16), "bad \\u")
  at = at + 4
  if code >= 0xD800 and code < 0xDC00 and text:sub(at, at + 1) == "\\u" then
    local low = assert(tonumber(text:match("^%x%x%x%x", at + 2), 16), "bad \\u")
    code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)
    at = at + 6
  end
  return utf8.char(code), at
end

local function decode_string(text, at)
  local pieces = {}
  while true do
    local stop = assert(text:find('["\\]', at), "a string does not end")
    pieces[#pieces + 1] = text:sub(at, stop - 1)
    if text:sub(stop, stop) == '"' then
      return table.concat(pieces), stop + 1
    end
    local letter = text:sub(stop + 1, stop + 1)
    if letter == "u" then
      pieces[#pieces + 1], at = decode_unicode(text, stop + 2)
    else
      pieces[#pieces + 1] = assert(UNESCAPES[letter], "bad escape")
      at = stop + 2
    end
  end
end

-- Decodes the entries between brackets; read_entry adds one entry to the table.
local function decode_entries(text, at, closing, read_entry)
  local result = {}
  at = skip_blanks(text, at)
  if text:sub(at, at) == closing then
    return result, at + 1
  end
  while true do
    at = skip_blanks(text, read_entry(result, skip_blanks(text, at)))
    local mark = text:sub(at, at)
    at = at + 1
    if mark == closing then
      return result, at
    end
    assert(mark == ",", "a comma is missing")
  end
end

local WORDS = { { "true", true }, { "false", false }, { "null", nil } }

function decode_value(text, at)
  at = skip_blanks(text, at)
  local first = text:sub(at, at)
  if first == '"' then
    return decode_string(text, at + 1)
  elseif first == "[" then
    return decode_entries(text, at + 1, "]", function(result, from)
      local value, after = decode_value(text, from)
      result[#result + 1] = value
      return after
    end)
  elseif first == "{" then
    return decode_entries(text, at + 1, "}", function(result, from)
      assert(text:sub(from, from) == '"', "a key is missing")
      local key, after = decode_string(text, from + 1)
      after = skip_blanks(text, after)
      assert(text:sub(after, after) == ":", "a colon is missing")
      result[key], after = decode_value(text, after + 1)
      return after
    end)
  end
  for _, word in ipairs(WORDS) do
    if text:sub(at, at + #word[1] - 1) == word[1] then
      return word[2], at + #word[1]
    end
  end
  local digits = assert(text:match("^-?%d+%.?%d*[eE]?[-+]?%d*", at), "unexpected character")
  return assert(tonumber(digits), "bad number"), at + #digits
end

-- The value in a text, or nil and the error.
function json.decode(text)
  local ok, value, after = pcall(decode_value, text, 1)
  if not ok then
    return nil, value
  end
  if skip_blanks(text, after) <= #text then
    return nil, "unexpected text after the end"
  end
  return value
end

return json
