--- NAME: a GARM external provider whose machines are processes of this computer, each in a folder of its own.
--
-- A provider is a program that is called once for each operation: the operation and what it is about stand in its environment, the wish for a machine
-- in standard input, and the answer goes to standard output. So it is used by GARM, too. NO ISOLATION: a machine runs as this program's user.
--
-- Its configuration file may be JSON: {"directory": "/srv/NAME"}, the folder of its machines; otherwise that is `machines` in the working directory.
-- An image is an absolute folder with run.sh in it, which becomes `home/actions-runner` of a machine.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local json = require("json")
local processes = require("processes")

local NOT_FOUND, DUPLICATE = 30, 31
local command = os.getenv("GARM_COMMAND") or ""
local version = os.getenv("GARM_INTERFACE_VERSION") or "v0.1.0"
local controller, pool = os.getenv("GARM_CONTROLLER_ID") or "", os.getenv("GARM_POOL_ID") or ""
local machines

local function fail(text, status)
  io.stderr:write(text, "\n")
  os.exit(status or 1, true)
end

-- YOUR CODE: the machines. Here each is a folder, with `facts` (installation and pool) from its first moment on, so that its half can be deleted too.

local function is_name(text) return text:match("^%w[%w_.-]*$") ~= nil end

local function folder_of(name) return machines .. "/" .. name end

--- The pool of a machine; nil: it is not there, or another installation's.
local function pool_of(name)
  local owner, at = (processes.contents(folder_of(name) .. "/facts", 512) or ""):match("^(%S+) ?(%S*)\n")
  if owner == controller then return at end
  return nil
end

--- The name of a machine that is given by its name, or by the id that creation has told.
local function find(reference)
  for _, name in ipairs({ reference, (reference:gsub("^local%-", "")) }) do
    if is_name(name) and pool_of(name) then return name end
  end
  return nil
end

local function names()
  local found = {}
  for name in (processes.output("ls -1 %s", machines) or ""):gmatch("[^\n]+") do
    if is_name(name) and pool_of(name) then found[#found + 1] = name end
  end
  return found
end

local function described(name)
  local status = processes.is_living(folder_of(name)) and "running" or "stopped"
  return { provider_id = "local-" .. name, name = name, os_type = "linux", os_arch = "amd64", status = status }
end

local function start(name)
  if processes.is_living(folder_of(name)) then return end
  processes.forget(folder_of(name))
  if not processes.launch(folder_of(name), folder_of(name) .. "/user-data", { RUNNER_ALLOW_RUNASROOT = "1" }) then
    fail("machine " .. name .. " does not start")
  end
end

local function stop(name)
  if not processes.ended(folder_of(name)) then fail("the processes of machine " .. name .. " do not end") end
end

local function delete(name)
  stop(name)
  if not processes.destroy(folder_of(name)) then fail("machine " .. name .. " cannot be deleted") end
end

--- What a new machine is to run: the host's template, with its values in it.
local function script_of(wish)
  local specs, tool = wish.extra_specs, type(wish.tools) == "table" and wish.tools[1] or {}
  local template = type(specs) == "table" and specs.runner_install_template
  if type(template) ~= "string" then
    fail("extra_specs has no runner_install_template, and this provider has no install script of its own")
  end
  template = processes.output("printf %%s %s | base64 -d", template) or fail("runner_install_template is not base64")
  local values = {
    MetadataURL = wish["metadata-url"], CallbackURL = wish["callback-url"], CallbackToken = wish["instance-token"], RepoURL = wish.repo_url,
    RunnerName = wish.name, FileName = tool.filename, DownloadURL = tool.download_url, UseJITConfig = tostring(wish.jit_config_enabled == true),
  }
  return (template:gsub("{{%-?%s*%.(%w+)%s*%-?}}", function(field) return tostring(values[field] or "") end)) .. "\n"
end

local function create()
  local wish = json.decode(io.read("a"))
  if type(wish) ~= "table" then fail("standard input holds no JSON") end
  local name, image = wish.name, wish.image
  if type(name) ~= "string" or not is_name(name) then fail("the name of the machine is missing, or cannot be one") end
  if type(image) ~= "string" or not processes.run("[ -f %s ]", image .. "/run.sh") then
    fail("image '" .. tostring(image) .. "' is no folder with run.sh in it")
  end
  local script, folder = script_of(wish), folder_of(name)
  if not processes.run("mkdir -m 700 %s 2>/dev/null", folder) then fail("machine " .. name .. " exists already", DUPLICATE) end
  processes.save(folder .. "/facts", controller .. " " .. pool .. "\n")
  if not processes.run("mkdir -m 700 %s && cp -RP -- %s %s", folder .. "/home", image, folder .. "/home/actions-runner") then
    fail("the image cannot be copied")
  end
  -- It holds the machine's token; nobody else enters the folder.
  processes.save(folder .. "/user-data", script)
  start(name)
  return described(name)
end

-- The call

if version == "" then version = "v0.1.0" end
if version ~= "v0.1.0" and version ~= "v0.1.1" then fail("GARM_INTERFACE_VERSION is '" .. version .. "': expected v0.1.0 or v0.1.1") end
if controller == "" then fail("GARM_CONTROLLER_ID is missing") end
local config = os.getenv("GARM_PROVIDER_CONFIG_FILE") or ""
local text = processes.contents(config, 1 << 20)
if not text then fail("GARM_PROVIDER_CONFIG_FILE '" .. config .. "' cannot be read") end
local settings = text:match("%S") and json.decode(text) or {}
if type(settings) ~= "table" then fail("GARM_PROVIDER_CONFIG_FILE '" .. config .. "' holds no JSON") end
machines = type(settings.directory) == "string" and settings.directory or "machines"
if machines:sub(1, 1) ~= "/" then machines = processes.output("pwd") .. "/" .. machines end

local about_machine = {
  GetInstance = described, StartInstance = function(name) start(name) end, StopInstance = function(name) stop(name) end,
  DeleteInstance = function(name) delete(name) end,
}
local needs_pool = command == "CreateInstance" or command == "ListInstances" or (version == "v0.1.1" and about_machine[command])
if needs_pool and pool == "" then fail("GARM_POOL_ID is missing") end
if not processes.run("mkdir -p %s", machines) then fail("the folder of machines, " .. machines .. ", cannot be made") end

local answer
if command == "GetVersion" then
  io.write("v1.0.0")
elseif command == "GetSupportedInterfaceVersions" then
  answer = json.array({ "v0.1.0", "v0.1.1" })
elseif command == "ValidatePoolInfo" then
  answer = nil
elseif command == "GetConfigJSONSchema" or command == "GetExtraSpecsJSONSchema" then
  answer = { ["$schema"] = "http://json-schema.org/draft-07/schema#", type = "object" }
elseif command == "CreateInstance" then
  answer = create()
elseif command == "ListInstances" then
  answer = json.array({})
  for _, name in ipairs(names()) do if pool_of(name) == pool then answer[#answer + 1] = described(name) end end
elseif command == "RemoveAllInstances" then
  for _, name in ipairs(names()) do delete(name) end
elseif about_machine[command] then
  local instance = os.getenv("GARM_INSTANCE_ID") or ""
  if instance == "" then fail("GARM_INSTANCE_ID is missing") end
  local name = find(instance)
  if name then
    answer = about_machine[command](name)
  elseif command ~= "DeleteInstance" then
    fail("there is no machine " .. instance, NOT_FOUND)
  end
else
  fail("GARM_COMMAND '" .. command .. "' is not known")
end
if answer then io.write(json.encode(answer)) end
