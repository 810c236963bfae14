--- A file that grows by lines, each an event: rotated by size, and never with the same event twice.
local json = require("json")

local journal = {}
journal.__index = journal

--- A word of the shell.
local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function size(path)
  local file = io.open(path, "rb")
  if not file then return 0 end
  local bytes = file:seek("end")
  file:close()
  return bytes
end

--- The last whole line, and how many bytes the file has up to its end; what follows was cut off by a crash.
local function tail(path)
  local file = io.open(path, "rb")
  if not file then return nil, 0, 0 end
  local bytes = file:seek("end")
  local from, text = bytes, ""
  while from > 0 do
    local step = math.min(from, 65536)
    from = from - step
    file:seek("set", from)
    text = file:read(step) .. text
    local whole = text:match("^.*()\n")
    if whole then
      local line = text:sub(1, whole - 1):match("([^\n]*)$")
      if from == 0 or text:sub(1, whole - 1):find("\n", 1, true) then
        file:close()
        return line, from + whole, bytes
      end
    end
  end
  file:close()
  return nil, 0, bytes
end

--- Keeps only so many bytes of a file: a line that was cut off is written anew when its event is told again.
local function cut(path, bytes)
  local source, copy = assert(io.open(path, "rb")), assert(io.open(path .. ".cut", "wb"))
  while bytes > 0 do
    local part = assert(source:read(math.min(bytes, 1 << 20)))
    assert(copy:write(part))
    bytes = bytes - #part
  end
  source:close()
  assert(copy:close())
  assert(os.rename(path .. ".cut", path))
end

--- Opens a journal, and reads where it stands.
-- @param options path, maximum (bytes), keep (files), sync (boolean)
function journal.open(options)
  local self = setmetatable({ lastID = 0 }, journal)
  for name, value in pairs(options) do self[name] = value end
  local line, whole, bytes = tail(self.path)
  if whole < bytes then cut(self.path, whole) end
  -- Where a rotation was the last that happened, the rotated file knows.
  line = line or tail(self.path .. ".1")
  local event = line and json.decode(line)
  if type(event) == "table" and math.type(event.id) == "integer" then self.lastID = event.id end
  self:reopen()
  return self
end

function journal:reopen()
  local why
  self.file, why = io.open(self.path, "ab")
  if not self.file then error({ unavailable = "the file cannot be opened: " .. why }, 0) end
  self.bytes = size(self.path)
end

function journal:rotate()
  self.file:close()
  if self.keep == 0 then
    os.remove(self.path)
  else
    os.remove(self.path .. "." .. self.keep)
    for number = self.keep - 1, 1, -1 do os.rename(self.path .. "." .. number, self.path .. "." .. number + 1) end
    os.rename(self.path, self.path .. ".1")
  end
  self:reopen()
end

--- Appends events in order; those that are there already are passed over. When this returns they are in the file, or an error says why not.
function journal:append(events, missed)
  local lines, last = {}, self.lastID
  if missed > 0 then lines[1] = json.encode({ kind = "missed", missed = missed, id = last }) .. "\n" end
  for _, event in ipairs(events) do
    if event.id > last then
      lines[#lines + 1] = json.encode(event) .. "\n"
      last = event.id
    end
  end
  if last == self.lastID then return end
  local text = table.concat(lines)
  if self.bytes > 0 and self.bytes + #text > self.maximum then self:rotate() end
  local isWritten, why = self.file:write(text)
  if isWritten then isWritten, why = self.file:flush() end
  if isWritten and self.sync then
    isWritten, why = os.execute("sync -d -- " .. quoted(self.path)), "sync failed"
  end
  if not isWritten then
    -- What of it is in the file is found out anew; the same batch comes again.
    self.file:close()
    local fresh = journal.open({ path = self.path, maximum = self.maximum, keep = self.keep, sync = self.sync })
    self.file, self.bytes, self.lastID = fresh.file, fresh.bytes, fresh.lastID
    error({ unavailable = "the file cannot be written: " .. tostring(why) }, 0)
  end
  self.bytes, self.lastID = self.bytes + #text, last
end

return journal
