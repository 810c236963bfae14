--- JSON for messages of the plugin protocol. Members come out in the order of their names; `json.null` stands for null.
local json = {}

json.null = setmetatable({}, { __tostring = function() return "null" end })
--- The mark of arrays, so that an empty one stays one.
local array = {}

local deepest = 64
local escapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

function json.array(elements) return setmetatable(elements, array) end

local function fail(text, at, what) error({ json = ("%s at byte %d of %d"):format(what, at, #text) }, 0) end

local function blank(text, at) return text:find("[^ \t\r\n]", at) or #text + 1 end

local function read_string(text, at)
  local parts, from = {}, at + 1
  while true do
    local to = text:find('["\\%c]', from)
    if not to then fail(text, at, "a string without end") end
    parts[#parts + 1] = text:sub(from, to - 1)
    local mark = text:sub(to, to)
    if mark == '"' then return table.concat(parts), to + 1 end
    if mark ~= "\\" then fail(text, to, "a control character in a string") end
    local name = text:sub(to + 1, to + 1)
    if name == "u" then
      local code = tonumber(text:match("^%x%x%x%x", to + 2) or fail(text, to, "a broken escape"), 16)
      from = to + 6
      local low = code >= 0xD800 and code < 0xDC00 and text:match("^\\u(%x%x%x%x)", from)
      low = low and tonumber(low, 16)
      if low and low >= 0xDC00 and low < 0xE000 then
        code, from = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00), from + 6
      elseif code >= 0xD800 and code < 0xE000 then
        code = 0xFFFD
      end
      parts[#parts + 1] = utf8.char(code)
    else
      parts[#parts + 1] = escapes[name] or fail(text, to, "a broken escape")
      from = to + 2
    end
  end
end

local read_value

local function read_members(text, at, depth)
  local members = {}
  at = blank(text, at + 1)
  if text:sub(at, at) == "}" then return members, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(text, at, "a name was expected") end
    local name
    name, at = read_string(text, at)
    at = blank(text, at)
    if text:sub(at, at) ~= ":" then fail(text, at, "':' was expected") end
    members[name], at = read_value(text, blank(text, at + 1), depth)
    at = blank(text, at)
    local mark = text:sub(at, at)
    if mark == "}" then return members, at + 1 end
    if mark ~= "," then fail(text, at, "',' or '}' was expected") end
    at = blank(text, at + 1)
  end
end

local function read_elements(text, at, depth)
  local elements = json.array({})
  at = blank(text, at + 1)
  if text:sub(at, at) == "]" then return elements, at + 1 end
  while true do
    elements[#elements + 1], at = read_value(text, at, depth)
    at = blank(text, at)
    local mark = text:sub(at, at)
    if mark == "]" then return elements, at + 1 end
    if mark ~= "," then fail(text, at, "',' or ']' was expected") end
    at = blank(text, at + 1)
  end
end

local words = { ["true"] = true, ["false"] = false, null = json.null }

read_value = function(text, at, depth)
  if depth > deepest then fail(text, at, "too many levels") end
  local mark = text:sub(at, at)
  if mark == "{" then return read_members(text, at, depth + 1) end
  if mark == "[" then return read_elements(text, at, depth + 1) end
  if mark == '"' then return read_string(text, at) end
  local word = text:match("^%a+", at)
  if word and words[word] ~= nil then return words[word], at + #word end
  local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local value = number and (math.tointeger(tonumber(number)) or tonumber(number))
  if not value then fail(text, at, "a value was expected") end
  return value, at + #number
end

--- The value of a text.
-- @return nil and what is wrong, where it is no JSON.
function json.decode(text)
  local isWell, value, at = pcall(read_value, text, blank(text, 1), 0)
  if not isWell then return nil, type(value) == "table" and value.json or tostring(value) end
  if blank(text, at) <= #text then return nil, ("something follows at byte %d"):format(at) end
  return value
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\\127]', function(character) return ("\\u%04x"):format(character:byte()) end) .. '"'
end

--- One line of JSON.
function json.encode(value)
  local kind = type(value)
  if value == json.null or value == nil then return "null" end
  if kind == "string" then return quoted(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "number" then
    if math.type(value) == "integer" then return tostring(value) end
    if value ~= value or value == math.huge or value == -math.huge then return "null" end
    return ("%.17g"):format(value)
  end
  local parts = {}
  if getmetatable(value) == array then
    for index, element in ipairs(value) do parts[index] = json.encode(element) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  for index, name in ipairs(names) do parts[index] = quoted(name) .. ":" .. json.encode(value[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

return json
