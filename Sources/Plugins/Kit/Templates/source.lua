--- NAME: jobs of a queue behind a small JSON API (stand_in.py beside this file has all of it) as jobs of RunnerHub.
package.path = (arg[0]:match("^(.*/)") or "./") .. "?.lua;" .. package.path
local json = require("json")
local processes = require("processes")
local protocol = require("protocol")

local INVALID, NOT_FOUND, UNAVAILABLE, FORBIDDEN, EXISTS = -32002, -32001, -32003, -32004, -32005
local url, token, directory
local told = {}

-- What runs a job: it tells the queue of the beginning and of the end. `queue.conf` holds the runner's token, which
-- may change this one job only: the job can read it. Never the queue's own.
local runner_script = [[#!/bin/sh
tell() { curl --silent --show-error --fail --retry 5 --max-time 30 -K queue.conf --data "$1" -o /dev/null "$JOB_URL"; }
tell "{\"status\":\"in_progress\",\"runner\":\"$RUNNER\"}" || exit 1
sh ./script.sh
status=$?
if [ "$status" = 0 ]; then conclusion=success; else conclusion=failure; fi
tell "{\"status\":\"completed\",\"conclusion\":\"$conclusion\"}" && exit "$status"
]]

-- YOUR CODE: the platform. This is a queue that has GET /jobs, GET and POST /jobs/ID, POST /runners and DELETE /runners/RUNNER.

local codes = { ["401"] = FORBIDDEN, ["403"] = FORBIDDEN, ["404"] = NOT_FOUND, ["409"] = EXISTS }

--- What the queue answers; nil, why not, and the protocol's word for it.
local function asked(method, path, body)
  local data = ""
  if body then
    -- In no command line, which others could read.
    processes.save(directory .. "/body.json", json.encode(body))
    data = "--data @body.json"
  end
  local answer = processes.output("cd %s && curl -K curl.conf -X %s " .. data .. " -w '\\n%%{http_code}' -- %s", directory, method, url .. path)
  if not answer then return nil, method .. " " .. path .. ": the queue cannot be reached", UNAVAILABLE end
  local text, status = answer:match("^(.*)\n(%d+)$")
  if not status or status:sub(1, 1) ~= "2" then
    local otherwise = (status or ""):sub(1, 1) == "4" and INVALID or UNAVAILABLE
    return nil, method .. " " .. path .. ": " .. tostring(status), codes[status] or otherwise
  end
  local value = json.decode(text)
  if type(value) ~= "table" then return nil, method .. " " .. path .. ": the answer is no JSON", UNAVAILABLE end
  return value
end

local function call(method, path, body)
  local value, why, code = asked(method, path, body)
  return value or protocol.refuse(code, why)
end

--- A job of the queue as RunnerHub knows jobs.
local function described(job)
  local told_job = {}
  for _, name in ipairs({ "id", "name", "labels", "repository", "status", "commit" }) do
    told_job[name] = type(job) == "table" and job[name] or protocol.refuse(UNAVAILABLE, "the queue tells a job without " .. name)
  end
  told_job.runner, told_job.conclusion, told_job.run = job.runner, job.conclusion, job.id
  -- The same text whenever the same change is told.
  told_job.transition = ("%s/%s"):format(job.id, job.status)
  return told_job
end

local function all()
  local jobs = {}
  for _, job in ipairs(protocol.need(call("GET", "/jobs"), "jobs", "table")) do jobs[#jobs + 1] = described(job) end
  return jobs
end

local function look()
  local news, now = json.array({}), {}
  for _, job in ipairs(all()) do
    now[job.id] = job.transition
    if told[job.id] ~= job.transition then news[#news + 1] = job end
  end
  if #news > 0 then protocol.ask("source/events", { jobs = news }) end
  told = now
end

local function file(path, text, mode)
  processes.save(directory .. "/file.text", text)
  return { path = path, contents = processes.output("base64 -w 0 %s", directory .. "/file.text"), mode = mode }
end

-- What the host asks

local methods = {}

methods["source/open"] = function()
  local open = json.array({})
  for _, job in ipairs(all()) do if job.status ~= "completed" then open[#open + 1] = job end end
  return { jobs = open }
end

methods["source/job"] = function(parameters)
  return { job = described(call("GET", ("/jobs/%d"):format(protocol.need(parameters, "id", "number")))) }
end

methods["source/register"] = function(parameters)
  local runner = protocol.need(parameters, "name", "string")
  local number = protocol.need(protocol.need(parameters, "job", "table"), "id", "number")
  local script = protocol.need(call("GET", ("/jobs/%d"):format(number)), "script", "string")
  local registered = call("POST", "/runners", { name = runner, job = number })
  return {
    id = registered.id, command = json.array({ "sh", "job.sh" }),
    environment = { JOB_URL = ("%s/jobs/%d"):format(url, number), RUNNER = runner },
    files = json.array({
      file("job.sh", runner_script, 493), file("script.sh", script .. "\n", 420),
      file("queue.conf", 'header = "Authorization: Bearer ' .. protocol.need(registered, "token", "string") .. '"\n', 384),
    }),
  }
end

methods["source/remove"] = function(parameters)
  local runner = protocol.need(parameters, "name", "string")
  if not runner:match("^[%w._-]+$") then return { outcome = "absent" } end
  local done, why, code = asked("DELETE", "/runners/" .. runner)
  if done then return { outcome = "removed" } end
  if code ~= NOT_FOUND and code ~= EXISTS then protocol.refuse(code, why) end
  return { outcome = code == NOT_FOUND and "absent" or "busy" }
end

methods["source/cancel"] = function(parameters)
  call("POST", ("/jobs/%d"):format(protocol.need(parameters, "run", "number")), { status = "completed", conclusion = "cancelled" })
  return {}
end

methods["source/report"] = function(parameters)
  local note = protocol.need(parameters, "status", "string") .. ": " .. protocol.need(parameters, "title", "string")
  call("POST", ("/jobs/%d"):format(protocol.need(protocol.need(parameters, "job", "table"), "id", "number")), { note = note })
  return {}
end

methods["source/delivery"] = function(parameters)
  protocol.need(parameters, "body", "string")
  return { accepted = false, reason = "this plugin takes no webhooks: it looks at the queue itself", jobs = json.array({}) }
end

protocol.run({
  start = function(configuration, parameters)
    url, token, directory = (configuration.url:gsub("/$", "")), configuration.token, parameters.directory
    -- The private directory is nobody else's.
    processes.save(directory .. "/curl.conf",
      ('header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\nsilent\nmax-time = 15\n'):format(token))
  end,
  -- Asked every few seconds: a good moment to look at the queue, and to tell what is new.
  health = function()
    local isWell, problem = pcall(look)
    if isWell then return { status = "ok" } end
    local why = type(problem) == "table" and problem.message or "a defect"
    protocol.log(type(problem) == "table" and why or problem)
    return { status = "degraded", detail = why }
  end,
  methods = methods,
})
