--- RunnerHub's plugin protocol, version 1, over standard input and output: one call at a time.
local json = require("json")
local protocol = { version = "1.0.0" }

--- Ends a call with an error.
function protocol.refuse(code, message) error({ code = code, message = message }, 0) end

--- A member of the parameters, of one type of Lua.
function protocol.need(parameters, name, kind)
  local value = type(parameters) == "table" and parameters[name]
  if type(value) ~= kind then protocol.refuse(-32602, ("'%s' is missing or of another type"):format(name)) end
  return value
end

--- One entry of the plugin's log.
function protocol.log(text) io.stderr:write((tostring(text):gsub("%s+", " ")), "\n") end

local function greet(plugin, parameters)
  local isOffered = false
  for _, offer in ipairs(protocol.need(parameters, "protocolVersions", "table")) do
    isOffered = isOffered or offer == "1"
  end
  if not isOffered then protocol.refuse(-32002, "this plugin speaks version 1 of the protocol only") end
  plugin.start(parameters.configuration, parameters)
  return { protocolVersion = "1", version = protocol.version }
end

local function send(message)
  message.jsonrpc = "2.0"
  io.stdout:write(json.encode(message), "\n")
  io.stdout:flush()
end

local asked = 0
-- Lines that came while the host was asked.
local waiting = {}

--- Asks the host, and waits for its answer. Not within `start`: nothing may be asked before `initialize` is answered.
function protocol.ask(method, parameters)
  asked = asked + 1
  local number = "p" .. asked
  send({ id = number, method = method, params = parameters })
  for line in io.stdin:lines() do
    local message = json.decode(line)
    if type(message) == "table" and not message.method and message.id == number then
      if message.error then protocol.refuse(-32003, "the host refused " .. method .. ": " .. tostring(message.error.message)) end
      return message.result
    end
    waiting[#waiting + 1] = line
  end
  protocol.refuse(-32003, "the host does not answer " .. method)
end

--- Tells the host something that it does not answer.
function protocol.inform(method, parameters) send({ method = method, params = parameters }) end

local function next_line()
  if #waiting > 0 then return table.remove(waiting, 1) end
  return io.stdin:read("l")
end

local function answer(plugin, message)
  local method = plugin.methods[message.method]
  if message.method == "initialize" then method = function(parameters) return greet(plugin, parameters) end end
  if message.method == "health" then method = plugin.health or function() return { status = "ok" } end end
  if message.method == "shutdown" then method = function() return {} end end
  if not method then return { error = { code = -32601, message = "no method " .. tostring(message.method) } } end
  local isWell, result = pcall(method, message.params or {})
  if isWell then return { result = result } end
  if type(result) == "table" and result.code then return { error = result } end
  -- A defect: its words may hold secrets, so the host is told less than the log.
  protocol.log("a defect in " .. tostring(message.method) .. ": " .. tostring(result))
  return { error = { code = -32603, message = "a defect" } }
end

--- Answers requests until standard input ends.
-- @param plugin `{start = function(configuration, parameters), health = function()?, methods = {[name] = function(parameters)}}`
function protocol.run(plugin)
  for line in next_line do
    local message, why = json.decode(line)
    local reply
    if message == nil then
      reply = { error = { code = -32700, message = "no JSON: " .. tostring(why) }, id = json.null }
    elseif type(message) == "table" and message.method and message.id ~= nil then
      reply = answer(plugin, message)
      reply.id = message.id
    end
    if reply then send(reply) end
  end
end

return protocol
