--- An observer that appends events to a file, one JSON object a line. Speaks the plugin protocol over standard input and output.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local json = require("json")
local journal = require("journal")

local version = "1.0.0"
local open

local function refuse(code, message) error({ code = code, message = message }, 0) end

--- Where the file is, if it may be there.
local function place(file, directory, abilities)
  if file:find("[%c]") then refuse(-32602, "file holds a control character") end
  for part in file:gmatch("[^/]+") do
    if part == ".." then refuse(-32602, "file must not lead upwards with ..") end
  end
  if file:sub(1, 1) ~= "/" then return directory .. "/" .. file end
  for _, ability in ipairs(abilities) do
    local path = ability:match("^write:(/.*)$")
    if path and (file == path or file:sub(1, #path + 1) == path:gsub("/*$", "") .. "/") then return file end
  end
  refuse(-32602, ("file is %s, and no ability write: was granted for it; grant write:%s, or name a file without /"):format(
    file, file:match("^(.*)/[^/]*$")))
end

local methods = {}

function methods.initialize(parameters)
  local offered = false
  for _, offer in ipairs(parameters.protocolVersions or {}) do offered = offered or offer == "1" end
  if not offered then refuse(-32002, "this plugin speaks version 1 of the protocol only") end
  local configuration = parameters.configuration
  open = {
    path = place(configuration.file or "events.jsonl", parameters.directory, parameters.abilities or {}),
    maximum = configuration["maximum-bytes"] or 64 << 20,
    keep = configuration.keep or 5,
    sync = configuration.sync ~= "never",
  }
  local isOpen, journalOrWhy = pcall(journal.open, open)
  if not isOpen then
    refuse(-32602, type(journalOrWhy) == "table" and journalOrWhy.unavailable or tostring(journalOrWhy))
  end
  open = journalOrWhy
  return { protocolVersion = "1", version = version }
end

function methods.health() return { status = "ok" } end

function methods.shutdown() return {} end

methods["observer/events"] = function(parameters)
  local events, missed = parameters.events, parameters.missed or 0
  if type(events) ~= "table" or math.type(missed) ~= "integer" then refuse(-32602, "events or missed is of another type") end
  for _, event in ipairs(events) do
    if type(event) ~= "table" or math.type(event.id) ~= "integer" then refuse(-32602, "an event has no id") end
  end
  open:append(events, missed)
  return {}
end

--- The answer to a request.
local function answer(message)
  local method = methods[message.method]
  if not method then return { error = { code = -32601, message = "no method " .. tostring(message.method) } } end
  local isWell, result = pcall(method, message.params ~= json.null and message.params or {})
  if isWell then return { result = result } end
  if type(result) == "table" and result.code then return { error = result } end
  if type(result) == "table" and result.unavailable then return { error = { code = -32003, message = result.unavailable } } end
  io.stderr:write("a defect: ", tostring(result), "\n")
  return { error = { code = -32603, message = "a defect: " .. tostring(result) } }
end

io.stdout:setvbuf("full")
for line in io.stdin:lines() do
  local message, why = json.decode(line)
  local reply
  if type(message) ~= "table" then
    reply = { error = { code = -32700, message = "no JSON: " .. tostring(why) }, id = json.null }
  elseif message.method and message.id ~= nil then
    reply = answer(message)
    reply.id = message.id
  end
  if reply then
    reply.jsonrpc = "2.0"
    io.stdout:write(json.encode(reply), "\n")
    io.stdout:flush()
  end
end
