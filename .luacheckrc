-- What luacheck knows of the policies' world: the sandbox, not the whole of Lua.
std = {
  read_globals = {
    "assert", "data", "error", "getmetatable", "ipairs", "pairs", "pcall", "percent", "print", "rawequal", "require", "select", "setmetatable", "tonumber",
    "tostring", "type", "xpcall", "_VERSION",
    string = { fields = { "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub", "upper" } },
    table = { fields = { "concat", "insert", "move", "pack", "remove", "sort", "unpack" } },
    utf8 = { fields = { "char", "charpattern", "codepoint", "codes", "len", "offset" } },
    math = {
      fields = {
        "abs", "ceil", "cos", "deg", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger", "min", "mininteger", "modf", "pi", "rad",
        "random", "sin", "sqrt", "tan", "tointeger", "type", "ult",
      },
    },
  },
}
max_line_length = 140
files["policies/**/*_test.lua"] = { read_globals = { "test", "expect", "job", "pool", "fleet", "container", "moment" } }
exclude_files = { "policies/types/*.lua", ".build/**" }
