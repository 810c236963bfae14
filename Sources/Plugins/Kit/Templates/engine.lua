--- NAME: an engine whose containers are processes of this computer, each in a folder of its own.
--
-- NO ISOLATION: a job runs as this plugin's user, and reads and changes whatever that user may. So no container is used a second time.
-- An image is an absolute folder with run.sh in it, of which each container gets a copy. All that is known of a container stands in its folder, so
-- that containers outlive this program:
--
--     DIRECTORY/containers/ID/spec.json     what was asked for: there once all else is
--                             home          the runner's home
--                             state, log    PID 1's notes, and the log of each use
--                             pid           see processes.lua
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local json = require("json")
local processes = require("processes")
local protocol = require("protocol")

local INVALID, NOT_FOUND, UNAVAILABLE = -32002, -32001, -32003
local directory, root, init
local known_ends = ""

local function folder_of(parameters)
  local name = protocol.need(parameters, "id", "string")
  if not name:match("^[a-z0-9-]+$") or #name < 2 or #name > 63 then
    protocol.refuse(INVALID, name .. " is no container's id: expected 2 to 63 of a-z, 0-9 and -")
  end
  return root .. "/" .. name, name
end

local function spec_of(folder)
  local spec = processes.contents(folder .. "/spec.json")
  return spec or protocol.refuse(NOT_FOUND, "there is no container " .. folder:match("[^/]*$"))
end

--- One of PID 1's notes. A job could have put anything in its place.
local function note(folder, name)
  local path = folder .. "/state/" .. name
  -- Neither through a link nor waiting for the writer of a pipe.
  local read = "if [ -L %s ]; then readlink %s; else dd if=%s iflag=nofollow,nonblock bs=32 count=1 2>/dev/null; fi"
  return processes.output(read, path, path, path) or ""
end

local function look(folder, name)
  local container = { id = name, status = "created" }
  local use, exit = note(folder, "ended"):match("^(%d+)%.(%d+)")
  if use and #use < 10 and #exit < 4 then container.endedUse, container.runnerExit = tonumber(use), tonumber(exit) end
  if not processes.is_started(folder) then return container end
  container.startedAt = processes.output("date -u -r %s +%%Y-%%m-%%dT%%H:%%M:%%SZ", folder .. "/pid")
  container.status = processes.is_living(folder) and "running" or "exited"
  local code = container.status == "exited" and note(folder, "exit"):match("^%d%d?%d?$")
  if code then container.exitCode = tonumber(code) end
  return container
end

local function all()
  local found = {}
  for name in (processes.output("ls -1 %s", root) or ""):gmatch("[^\n]+") do
    if processes.exists(root .. "/" .. name .. "/spec.json") then found[#found + 1] = look(root .. "/" .. name, name) end
  end
  return found
end

--- Asked every few seconds: a good moment to say that a container has ended.
local function health()
  local ends = {}
  for _, container in ipairs(all()) do if container.status == "exited" then ends[#ends + 1] = container.id end end
  if table.concat(ends, " ") ~= known_ends then protocol.inform("engine/changed", {}) end
  known_ends = table.concat(ends, " ")
  return { status = "ok" }
end

local methods = {}

methods["engine/capacity"] = function()
  local memory = (processes.contents("/proc/meminfo") or ""):match("MemTotal:%s*(%d+)")
  local disk = processes.output("df -P -k %s | awk 'NR == 2 { print $2 }'", root)
  return {
    milliCPUs = tonumber(processes.output("nproc")) * 1000, memory = tonumber(memory) * 1024, disk = tonumber(disk) * 1024,
    gpus = 0,
  }
end

methods["engine/home"] = function(parameters) return { home = folder_of(parameters) .. "/home" } end

methods["engine/create"] = function(spec)
  local folder, name = folder_of(spec)
  local image, wish = protocol.need(spec, "image", "string"), json.encode(spec)
  local made = processes.contents(folder .. "/spec.json")
  if made and made ~= wish then protocol.refuse(INVALID, "container " .. name .. " exists already, made for something else") end
  if made then return {} end
  if spec.reusable ~= false then protocol.refuse(INVALID, "without isolation no container is fit for a second job: take reuse out of the pool") end
  if spec.gpus ~= 0 then protocol.refuse(INVALID, "this engine gives no GPUs") end
  for variable, value in pairs(protocol.need(spec, "environment", "table")) do
    if not variable:match("^[%a_][%w_]*$") or variable:match("^RUNNERHUB_") or type(value) ~= "string" or value:find("\0") then
      protocol.refuse(INVALID, variable .. " cannot be a variable of the environment")
    end
  end
  if not image:match("^/") or image:find("\0") or not processes.run("[ -f %s ]", image .. "/run.sh") then
    protocol.refuse(NOT_FOUND, "the image is no absolute folder with run.sh in it")
  end
  -- YOUR CODE: make the container. Here it is a folder.
  -- One call at a time is answered, health too, and the host ends a plugin that is silent for 30 s.
  -- Let this take 20 s at most: have what may take longer, as a large image, made ready by another program.
  processes.destroy(folder)
  if not processes.run("umask 077; cd %s && mkdir %s %s/state %s/log && umask 022 && cp -RP -- %s %s/home", root, name, name, name, image, name) then
    protocol.refuse(UNAVAILABLE, name .. " cannot be made")
  end
  processes.save(folder .. "/spec.json", wish)
  return {}
end

methods["engine/start"] = function(parameters)
  local folder, name = folder_of(parameters)
  local spec = json.decode(spec_of(folder))
  if processes.is_started(folder) then
    if not processes.is_living(folder) then protocol.refuse(INVALID, "container " .. name .. " has ended") end
    return {}
  end
  if not init then
    -- PID 1 as RunnerHub has it: it waits for the job's files, runs run.sh, and writes its log.
    processes.save(directory .. "/init.base64", protocol.ask("engine/init", {}).script)
    if not processes.run("cd %s && base64 -d init.base64 >init.new && mv init.new init.sh", directory) then
      protocol.refuse(UNAVAILABLE, "PID 1 cannot be written")
    end
    init = directory .. "/init.sh"
  end
  local variables = {
    -- The real runner passes SIGTERM on, and runs as root, only with these.
    RUNNER_MANUALLY_TRAP_SIG = "1", RUNNER_ALLOW_RUNASROOT = "1",
  }
  for variable, value in pairs(spec.environment) do variables[variable] = value end
  variables.RUNNERHUB_HOME, variables.RUNNERHUB_STATE = folder .. "/home", folder .. "/state"
  variables.RUNNERHUB_LOGS, variables.RUNNERHUB_REUSABLE = folder .. "/log", "0"
  -- YOUR CODE: start PID 1 in the container. Here it is a process of this computer.
  if not processes.launch(folder, init, variables) then protocol.refuse(UNAVAILABLE, name .. " does not start") end
  return {}
end

methods["engine/put"] = function(parameters)
  local folder, name = folder_of(parameters)
  spec_of(folder)
  if not processes.is_living(folder) then protocol.refuse(INVALID, "container " .. name .. " does not run") end
  local files = protocol.need(parameters, "files", "table")
  for _, file in ipairs(files) do
    local path = "/" .. protocol.need(file, "path", "string") .. "/"
    if path:find("//", 1, true) or path:find("/./", 1, true) or path:find("/../", 1, true) or path:find("\0") then
      protocol.refuse(INVALID, "that is no path below the runner's home")
    end
  end
  for _, file in ipairs(files) do
    local place = folder .. "/home"
    for part in file.path:gmatch("([^/]+)/") do
      place = place .. "/" .. part
      -- Never through a link that a job has laid.
      if not processes.run("[ ! -L %s ] && { [ -d %s ] || mkdir %s; }", place, place, place) then
        protocol.refuse(INVALID, "a file leads through a link")
      end
    end
    processes.save(folder .. "/put.base64", protocol.need(file, "contents", "string"))
    local mode = ("%o"):format(protocol.need(file, "mode", "number") & 511)
    local command = "cd %s && base64 -d put.base64 >put.new && chmod %s put.new && mv -fT put.new %s"
    if not processes.run(command, folder, mode, folder .. "/home/" .. file.path) then
      protocol.refuse(INVALID, "a file cannot be put")
    end
  end
  return {}
end

methods["engine/list"] = function() return { containers = json.array(all()) } end

methods["engine/inspect"] = function(parameters)
  local folder, name = folder_of(parameters)
  return { container = processes.exists(folder .. "/spec.json") and look(folder, name) or nil }
end

methods["engine/log"] = function(parameters)
  local folder = folder_of(parameters)
  local use, offset = protocol.need(parameters, "use", "number"), protocol.need(parameters, "offset", "number")
  spec_of(folder)
  local path = ("%s/log/use-%d.log"):format(folder, use)
  local data = processes.output(
    "if [ -f %s ] && [ ! -L %s ]; then tail -c +%s %s | head -c 1048576 | base64 -w 0; fi", path, path, offset + 1, path)
  return { data = data or "" }
end

methods["engine/update"] = function(parameters)
  spec_of((folder_of(parameters)))
  protocol.refuse(INVALID, "this engine keeps no limits")
end

methods["engine/recycle"] = function(parameters)
  spec_of((folder_of(parameters)))
  protocol.refuse(INVALID, "without isolation no container is fit for a second job")
end

methods["engine/remove"] = function(parameters)
  local folder, name = folder_of(parameters)
  -- YOUR CODE: end all processes of the container, and take it away.
  if not processes.ended(folder) or not processes.destroy(folder) then protocol.refuse(UNAVAILABLE, name .. " cannot be removed") end
  return {}
end

protocol.run({
  start = function(_, parameters)
    directory = parameters.directory
    root = directory .. "/containers"
    assert(processes.run("mkdir -p %s", root))
  end,
  health = health,
  methods = methods,
})
