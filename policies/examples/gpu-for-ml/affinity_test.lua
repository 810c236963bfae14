local affinity = require("affinity")

local gpu = { gpus = 1, pool = "gpu" }
local function asks(count, given)
  given = given or {}
  given.estimate = { gpus = count }
  return job(given)
end

test("a GPU goes to machine learning", function()
  expect(affinity.filter(asks(1, { repository = "acme/ml-ranking" }), container(gpu))).equals(true)
end)

test("an image may tell it too", function()
  local training = asks(1, { definition = { container = "docker.io/pytorch/pytorch:2.9" } })
  expect(affinity.filter(training, container(gpu))).equals(true)
end)

test("a job that asks for none does not get one", function()
  local allowed, why = affinity.filter(job(), container(gpu))
  expect(allowed).equals(false)
  expect(why).equals("its GPU is kept for machine learning")
end)

test("a job that asks and may not, waits and says why", function()
  local allowed, why = affinity.filter(asks(1), container(gpu))
  expect(allowed).equals(false)
  expect(why).equals("acme/storefront is not among data/ml.yaml")
end)

test("containers without a GPU are everybody's", function()
  expect(affinity.filter(job(), container())).equals(true)
end)

test("the smallest that does is taken", function()
  local training = asks(1, { repository = "acme/ml-ranking" })
  local exact, why = affinity.score(training, container(gpu))
  expect(why).equals("fits as it is")
  local large
  large, why = affinity.score(training, container({ gpus = 4 }))
  expect(exact > large).equals(true)
  expect(why).equals("3 GPUs would lie idle")
  expect((affinity.score(asks(0), container({ gpus = 64, is_new = true })))).between(0, 100)
end)
