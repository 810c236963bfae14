--- NAME: is told what happens.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local json = require("json")
local protocol = require("protocol")

local place
local last = 0

local function keep(events)
  -- YOUR CODE: make something of the events. This appends them to a file of the plugin's own directory.
  local file = assert(io.open(place, "a"))
  for _, event in ipairs(events) do file:write(json.encode(event), "\n") end
  assert(file:close())
end

protocol.run({
  start = function(_, parameters) place = parameters.directory .. "/events.jsonl" end,
  methods = {
    ["observer/events"] = function(parameters)
      local events, missed = protocol.need(parameters, "events", "table"), protocol.need(parameters, "missed", "number")
      if missed > 0 then protocol.log(missed .. " events were missed: this observer is too slow for them") end
      local fresh = {}
      for _, event in ipairs(events) do
        -- Events come in order and at least once: what is not newer than the last is a repetition.
        if protocol.need(event, "id", "number") > last then fresh[#fresh + 1] = event end
      end
      keep(fresh)
      if #fresh > 0 then last = fresh[#fresh].id end
      return {}
    end,
  },
})
