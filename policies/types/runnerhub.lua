---@meta
-- What policies see and return, version 1. Generated from the host's schema: do not edit.

--- Labels in lower case, sorted. `labels:has("Linux")` compares without case; `ipairs` and `#` work as on any list.
---@class Labels
---@field [integer] string
---@field has fun(self: Labels, label: string): boolean

--- What a job is expected to need.
---@class Estimate
---@field cpus number CPU cores.
---@field memory_mb integer Memory in MiB.
---@field disk_mb integer Disk in MiB.
---@field gpus integer GPUs.
---@field duration_seconds? number Expected run time, where something is known of it.

--- One job of GitHub Actions.
---@class Job
---@field id string Identity: GitHub's job id, with the attempt where it is not the first.
---@field name string Name as GitHub shows it, with the matrix: `build (ubuntu, debug)`.
---@field workflow? string Name of the workflow.
---@field workflow_path? string Path of the workflow file, where the run is known.
---@field repository string `owner/name`.
---@field owner string Owner of the repository.
---@field private boolean Whether the repository is private.
---@field labels Labels Labels of `runs-on`, in lower case and sorted.
---@field branch? string Branch of the run's commit.
---@field default_branch? string Default branch of the repository, where it is known.
---@field commit string The run's commit.
---@field event string Event that triggered the run (`push`, `schedule`), or `unknown`.
---@field actor? string Who triggered the run.
---@field run_id integer GitHub's id of the run.
---@field attempt integer Attempt of the run, from 1.
---@field environment? string Deployment environment of the job's definition.
---@field from_fork boolean Whether the code comes from a fork, as far as is known.
---@field estimate? Estimate What it is expected to need, once estimated.
---@field tries integer Starts that failed so far.
---@field waiting_seconds? number How long it has waited; absent in affinity, which is asked without a time.

--- Containers that share a template.
---@class Pool
---@field name string Name in the configuration.
---@field minimum integer Containers that exist even when nothing is to do.
---@field maximum integer Containers at most.
---@field warm integer Idle containers to keep ready beyond the busy ones.
---@field total integer Live containers.
---@field idle integer Live containers without a job.
---@field busy integer Live containers with a job.
---@field pending integer Queued jobs that this pool could serve.
---@field active integer Jobs that hold one of its containers.
---@field utilisation number Busy ÷ live containers, 0 to 1; 0 where none is live.

--- Everything that RunnerHub runs, at one moment.
---@class Fleet
---@field now number The time, in seconds since 1970 (UTC). The only clock of a policy.
---@field pools Pool[] All pools.
---@field pending integer Queued jobs.
---@field active integer Jobs that hold a container.
---@field utilisation number Busy ÷ live containers of all pools, 0 to 1.
---@field draining boolean Whether RunnerHub is shutting down.

--- A candidate for a job: a warm container, or a new one of a pool.
---@class Container
---@field id string Identity; empty for a new one.
---@field name string Short name.
---@field pool string Name of its pool.
---@field is_new boolean Whether it would have to be created.
---@field labels Labels What its runners offer.
---@field cpus number CPU cores.
---@field memory_mb integer Memory in MiB.
---@field disk_mb integer Disk in MiB.
---@field gpus integer GPUs.
---@field uses integer Jobs given to it so far.
---@field repository? string Repository whose jobs it served, `owner/name`.
---@field age_seconds number Time since it was created.
---@field idle_seconds number Time since its last job, or since it was ready.

---@class Routing
---@field api 1
---@field route fun(job: Job, fleet: Fleet): "orchestrator"|"traditional", string?

---@class PriorityPolicy
---@field api 1
---@field prioritise fun(job: Job, fleet: Fleet): "CRITICAL"|"HIGH"|"NORMAL"|"LOW", string?

---@class Affinity
---@field api 1
---@field filter? fun(job: Job, container: Container): boolean, string?
---@field score fun(job: Job, container: Container): number, string?
---@field strategy? fun(job: Job): "round-robin"|"least-loaded"|"resource-aware"|"affinity"|nil

---@class Scaling
---@field api 1
---@field scale fun(pool: Pool, fleet: Fleet): integer, string?

-- In _test.lua files only.

---@class Expectation
---@field equals fun(wanted: any) Equal, tables by content.
---@field contains fun(part: string) A text that contains another.
---@field between fun(low: number, high: number) A number within bounds.
---@field fails fun(part?: string) A function that raises an error, with this text in it.

---@param name string
---@param body fun()
function test(name, body) end

---@param value any
---@return Expectation
function expect(value) end

---@param given? table Fields that matter for the test; the others are filled.
---@return Job
function job(given) end

---@param given? table
---@return Pool
function pool(given) end

---@param given? table
---@return Fleet
function fleet(given) end

---@param given? table
---@return Container
function container(given) end
