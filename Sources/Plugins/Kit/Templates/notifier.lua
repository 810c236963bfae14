--- NAME: tells people of alerts.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local protocol = require("protocol")

local prefix, place
local told = {}

local function tell(event, alert)
  -- YOUR CODE: send it to where people look. This writes a line into a file of the plugin's own directory.
  local file = assert(io.open(place, "a"))
  file:write(("%s%s %s: %s\n"):format(prefix, alert.severity, event, alert.title))
  assert(file:close())
end

protocol.run({
  start = function(configuration, parameters)
    prefix = configuration.prefix or ""
    place = parameters.directory .. "/alerts.txt"
  end,
  methods = {
    ["notifier/notify"] = function(parameters)
      local event, alert = protocol.need(parameters, "event", "string"), protocol.need(parameters, "alert", "table")
      -- Each alert is told at least once: its id with the event tells a repetition.
      local key = protocol.need(alert, "id", "string") .. " " .. event
      if not told[key] then tell(event, alert) end
      told[key] = true
      return {}
    end,
  },
})
