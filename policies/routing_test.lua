local routing = require("routing")

local function route(labels)
  return routing.route(job({ labels = labels }), fleet())
end

test("a linux job comes here", function()
  local where, why = route({ "self-hosted", "linux" })
  expect(where).equals("orchestrator")
  expect(why).equals("linux container job")
end)

test("one of the labels is enough", function()
  for _, label in ipairs({ "self-hosted", "linux", "docker" }) do
    expect((route({ label }))).equals("orchestrator")
  end
end)

test("case does not matter", function()
  expect((route({ "Self-Hosted", "LINUX" }))).equals("orchestrator")
  expect((route({ "Self-Hosted", "Windows" }))).equals("traditional")
end)

test("a windows or macos job stays, whatever else it asks for", function()
  local where, why = route({ "self-hosted", "windows" })
  expect(where).equals("traditional")
  expect(why).equals("label windows")
  expect((route({ "linux", "macos" }))).equals("traditional")
end)

test("a job for GitHub's own runners stays", function()
  local where, why = route({ "ubuntu-latest" })
  expect(where).equals("traditional")
  expect(why).contains("no label of")
end)

test("a job without labels stays", function()
  expect((route({}))).equals("traditional")
end)

test("a self-hosted job of no named system is said to be that", function()
  local _, why = route({ "self-hosted" })
  expect(why).equals("self-hosted job")
end)
