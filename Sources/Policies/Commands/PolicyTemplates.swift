/// What `policy new` writes: small policies that act, each with a test. Tests check that they are fit and fully covered.
enum PolicyTemplates {
  static let routing = """
    -- Which jobs run here, and which stay on traditional runners.
    --
    -- `job` and `fleet` are read-only; types/runnerhub.lua lists their fields, and an unknown one is an error. Return where the job runs, and
    -- why: people read the reason on the status page and in `runnerhub job explain`.

    local routing = { api = 1 }

    ---@param job Job
    ---@param fleet Fleet
    ---@return "orchestrator"|"traditional" route
    ---@return string why
    function routing.route(job, fleet)
      -- What waits here while RunnerHub shuts down would wait for nothing.
      if fleet.draining then return "traditional", "RunnerHub is draining" end
      if job.labels:has("linux") then return "orchestrator", "linux job" end
      return "traditional", "no linux label"
    end

    return routing

    """

  static let routingTest = """
    local routing = require("routing")

    -- `job` and `fleet` fill what a test does not care for.

    test("a linux job comes here, in whatever case its label is", function()
      local where, why = routing.route(job({ labels = { "self-hosted", "Linux" } }), fleet())
      expect(where).equals("orchestrator")
      expect(why).equals("linux job")
    end)

    test("any other job stays", function()
      expect((routing.route(job({ labels = { "windows" } }), fleet()))).equals("traditional")
    end)

    test("nothing comes while RunnerHub drains", function()
      expect((routing.route(job({ labels = { "linux" } }), fleet({ draining = true })))).equals("traditional")
    end)

    """

  static let priority = """
    -- Which jobs go first: CRITICAL before HIGH before NORMAL before LOW. The first rule that fits decides.

    local priority = { api = 1 }

    ---@param job Job
    ---@return "CRITICAL"|"HIGH"|"NORMAL"|"LOW" level
    ---@return string why
    function priority.prioritise(job)
      -- `environment` comes from the job's definition, and is nil where it has none.
      if job.environment == "production" then return "CRITICAL", "deploys to production" end
      if job.labels:has("urgent") then return "HIGH", "label urgent" end
      if job.event == "schedule" then return "LOW", "scheduled run" end
      return "NORMAL", "standard job"
    end

    return priority

    """

  static let priorityTest = """
    local priority = require("priority")

    local function level(given)
      return (priority.prioritise(job(given)))
    end

    test("deployments to production go first", function()
      expect(level({ environment = "production", event = "schedule" })).equals("CRITICAL")
      expect(level({ environment = "staging" })).equals("NORMAL")
    end)

    test("urgent jobs go before others", function()
      expect(level({ labels = { "linux", "urgent" } })).equals("HIGH")
    end)

    test("scheduled jobs can wait", function()
      expect(level({ event = "schedule" })).equals("LOW")
    end)

    """

  static let affinity = """
    -- Which container fits a job best. The host has left out what is too small, reserved, or of another trust scope.

    local affinity = { api = 1 }

    --- Optional: leaves out containers that must not be taken.
    ---@param job Job
    ---@param container Container
    ---@return boolean allowed
    ---@return string? why
    function affinity.filter(job, container)
      if container.repository and container.repository ~= job.repository then return false, "served " .. container.repository end
      return true
    end

    --- From 0 to 100. Within five points the configured strategy decides.
    ---@param _ Job
    ---@param container Container
    ---@return number score
    ---@return string why
    function affinity.score(_, container)
      if container.is_new then return 20, "new container" end
      if container.repository then return 80, "has this repository's cache" end
      return 50, "warm container"
    end

    return affinity

    """

  static let affinityTest = """
    local affinity = require("affinity")

    local here = job({ repository = "acme/storefront" })

    test("another repository's container is left out", function()
      local allowed, why = affinity.filter(here, container({ repository = "acme/payments" }))
      expect(allowed).equals(false)
      expect(why).equals("served acme/payments")
      expect((affinity.filter(here, container({ repository = "acme/storefront" })))).equals(true)
    end)

    test("a cache is worth more than a warm container, and that more than a new one", function()
      expect((affinity.score(here, container({ repository = "acme/storefront" })))).equals(80)
      expect((affinity.score(here, container()))).equals(50)
      expect((affinity.score(here, container({ is_new = true })))).equals(20)
    end)

    """

  static let scaling = """
    -- How many containers a pool should have. The host bounds the answer by the pool's minimum and maximum.

    local scaling = { api = 1 }

    -- Utilisation above which a pool grows, and below which it shrinks.
    local BUSY, QUIET = 0.8, 0.3

    ---@param pool Pool
    ---@return integer wanted
    ---@return string why
    function scaling.scale(pool)
      if pool.pending > pool.idle and pool.utilisation > BUSY then
        return pool.total + pool.pending - pool.idle, pool.pending .. " pending"
      end
      if pool.pending == 0 and pool.utilisation < QUIET then
        -- One at a time: a lull is often short.
        return math.max(pool.busy + pool.warm, pool.total - 1), "quiet"
      end
      return pool.total, "no change"
    end

    return scaling

    """

  static let scalingTest = """
    local scaling = require("scaling")

    test("grows by what waits beyond the idle ones", function()
      local wanted, why = scaling.scale(pool({ total = 10, busy = 10, idle = 0, pending = 4, utilisation = 1.0 }))
      expect(wanted).equals(14)
      expect(why).equals("4 pending")
    end)

    test("shrinks by one, and keeps the warm ones", function()
      expect((scaling.scale(pool({ total = 9, busy = 1, idle = 8, warm = 2, utilisation = 0.1 })))).equals(8)
      expect((scaling.scale(pool({ total = 3, busy = 0, idle = 3, warm = 3, utilisation = 0.0 })))).equals(3)
    end)

    test("stays as it is in between", function()
      expect((scaling.scale(pool({ total = 4, busy = 2, idle = 2, utilisation = 0.5 })))).equals(4)
    end)

    """

  static let library = """
    -- What policies share. Reached by require("lib.NAME").

    local NAME = {}

    --- Whether a text begins with another.
    ---@param text string
    ---@param beginning string
    ---@return boolean
    function NAME.begins(text, beginning)
      return text:sub(1, #beginning) == beginning
    end

    return NAME

    """

  static let libraryTest = """
    local NAME = require("lib.NAME")

    test("the beginning of a text", function()
      expect(NAME.begins("release/2.1", "release/")).equals(true)
      expect(NAME.begins("release", "release/")).equals(false)
    end)

    """
}
