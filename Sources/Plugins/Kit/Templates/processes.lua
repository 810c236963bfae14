--- Sessions of processes of this computer, each with a folder of its own, that outlive the program which starts them.
--
-- A session's folder has `home`, `console.log`, and `pid`: the number of its first process and since when that runs. Its processes are known by their
-- variable HOME. NO ISOLATION: they run as this program's user, and one that changes its HOME is not found any more.
local processes = {}

--- A text as a word of the shell.
function processes.word(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

local function filled(command, ...)
  local words = { ... }
  for index, word in ipairs(words) do words[index] = processes.word(word) end
  return command:format(table.unpack(words))
end

--- Runs a command of the shell, with words in place of its `%s`.
-- @return whether it succeeded.
function processes.run(command, ...) return (os.execute(filled(command, ...))) == true end

--- What such a command prints, without the last end of a line; nil where it failed.
function processes.output(command, ...)
  local pipe = assert(io.popen(filled(command, ...), "r"))
  local text = pipe:read("a")
  if pipe:close() then return (text:gsub("\n$", "")) end
  return nil
end

--- The contents of a file, at most `limit` bytes of it; nil where there is none.
function processes.contents(path, limit)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read(limit or "a")
  file:close()
  return text or ""
end

--- Writes a file that is there whole or not at all.
function processes.save(path, text)
  local file = assert(io.open(path .. ".new", "wb"))
  assert(file:write(text))
  assert(file:close())
  assert(os.rename(path .. ".new", path))
end

function processes.exists(path) return processes.run("[ -e %s ]", path) end

-- The first process writes down who it is before it becomes what it is to be: "$0".
local begin = [[
. "$1/environment"
read -r facts <"/proc/$$/stat"; set -- ${facts##*) }; shift 19; cd "$HOME" || exit 1
printf "%s %s\n" "$$" "$1" >../pid.new && mv ../pid.new ../pid && exec /bin/sh "$0"]]

--- Starts a shell script as the first process of a session.
-- @param variables of its environment, besides the usual ones.
-- @return whether it runs.
function processes.launch(folder, script, variables)
  local exports = {
    PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LANG = "C.UTF-8", USER = "runner", HOME = folder .. "/home",
  }
  for name, value in pairs(variables) do if name ~= "HOME" then exports[name] = value end end
  local lines = {}
  for name, value in pairs(exports) do lines[#lines + 1] = "export " .. name .. "=" .. processes.word(value) .. "\n" end
  processes.save(folder .. "/environment", table.concat(lines))
  processes.run(
    "chmod 600 %s; setsid -f env -i HOME=%s /bin/sh -c %s %s %s </dev/null >>%s 2>&1", folder .. "/environment", folder .. "/home", begin,
    script, folder, folder .. "/console.log")
  return processes.run("n=0; until [ -e %s ]; do n=$((n + 1)); [ $n -lt 500 ] || exit 1; sleep 0.02; done", folder .. "/pid")
end

function processes.is_started(folder) return processes.exists(folder .. "/pid") end

--- What has ended may be started again.
function processes.forget(folder) os.remove(folder .. "/pid") end

--- Whether the first process lives, and no later one of its number.
function processes.is_living(folder)
  local pid, since = (processes.contents(folder .. "/pid", 64) or ""):match("^(%d+) (%d+)")
  local facts = pid and processes.contents("/proc/" .. pid .. "/stat")
  if not facts then return false end
  local fields = {}
  for field in facts:match("^.*%) (.*)$"):gmatch("%S+") do fields[#fields + 1] = field end
  return fields[1] ~= "Z" and fields[1] ~= "X" and fields[20] == since
end

--- Ends all living processes of a session.
-- @return whether they have ended.
function processes.ended(folder)
  return processes.run([[
mark=%s; n=0
while found=$(grep -lszxF "$mark" /proc/[0-9]*/environ | cut -d / -f 3) && [ -n "$found" ]; do
  kill -KILL $found 2>/dev/null; n=$((n + 1)); [ $n -lt 500 ] || exit 1; sleep 0.02
done]], "HOME=" .. folder .. "/home")
end

--- Deletes what a job could have made, whatever it is; links are not followed.
function processes.destroy(folder)
  return processes.run("chmod -R u+rwX -- %s 2>/dev/null; exec rm -rf --one-file-system -- %s", folder, folder)
end

return processes
