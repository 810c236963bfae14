--- NAME: keeps secrets that the configuration names.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local protocol = require("protocol")

local values

local function find(name)
  -- YOUR CODE: ask your vault. This looks into the plugin's own configuration.
  return values[name]
end

protocol.run({
  start = function(configuration) values = configuration.values end,
  methods = {
    ["secrets/read"] = function(parameters)
      local name = protocol.need(parameters, "path", "string")
      if parameters.field then name = name .. "#" .. protocol.need(parameters, "field", "string") end
      local value = find(name)
      if not value then protocol.refuse(-32001, "there is no such secret") end
      return { value = value }
    end,
  },
})
