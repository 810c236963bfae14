---@meta
-- What policies see, return and use, version 1. Generated from the host's schema: do not edit.

--- Labels in lower case, sorted. `labels:has("Linux")` compares without case; `ipairs` and `#` work as on any list.
---@class Labels
---@field [integer] string
---@field has fun(self: Labels, label: string): boolean

--- A moment as the calendar has it, in UTC. For local time, see `lib/schedule.lua`.
---@class Clock
---@field seconds integer Seconds since 1970.
---@field year integer Year.
---@field month integer Month, from 1.
---@field day integer Day of the month, from 1.
---@field hour integer Hour, 0 to 23.
---@field minute integer Minute, 0 to 59.
---@field weekday integer Day of the week: 1 is Monday, 7 is Sunday.

--- What a job is expected to need.
---@class Estimate
---@field cpus number CPU cores.
---@field memory_mb integer Memory in MiB.
---@field disk_mb integer Disk in MiB.
---@field gpus integer GPUs.
---@field duration_seconds? number Expected run time, where something is known of it.
---@field sources string[] Where the numbers come from, in words: `CPUs, memory: label large-runner`.
---@field priority? string Priority that the repository asks for in `.github/runnerhub.yaml`, within the host's bound.
---@field affinity string[] Words for affinity from the same file.

--- A job's text in its workflow file. Texts are as written, and may hold expressions.
---@class Definition
---@field path string Path of the workflow file.
---@field called_workflow? string The called workflow that it stands in, as `uses` names it; absent: that file itself.
---@field key string The job's key under `jobs`.
---@field exact boolean Whether name and labels told the job and its matrix for certain; else a pattern did.
---@field environment? string Deployment environment.
---@field timeout_minutes? number `timeout-minutes`, where it is a number.
---@field images string[] Images of its container, its services and its `docker://` steps.
---@field container? string Image of its own container; absent where steps run on the runner itself.
---@field services string[] Names of its services.
---@field needs string[] Keys of the jobs that had to end first.
---@field matrix table<string, string> The values of its matrix: `matrix.os`. Empty where there is none, or the file alone does not decide it.
---@field runner_group? string `runs-on.group`.
---@field concurrency? string Concurrency group, of the job or else of the workflow.
---@field permissions? table<string, string> What its token may do, by scope (`*` for all); absent: the repository's standard.

--- One job of GitHub Actions.
---@class Job
---@field id string Identity: GitHub's job id, with the attempt where it is not the first.
---@field github_id integer GitHub's id of the job.
---@field name string Name as GitHub shows it, with the matrix: `build (ubuntu, debug)`.
---@field workflow? string Name of the workflow.
---@field workflow_path? string Path of the workflow file, where the run is known.
---@field source? string CI platform that it comes from, by the name of its plugin; absent: GitHub.
---@field repository string `owner/name`; of another source than GitHub after its name: `gitlab:group/project`.
---@field owner string Owner of the repository.
---@field organization? string Organisation that the delivery named.
---@field installation_id? integer Installation of the App that the delivery named.
---@field private boolean Whether the repository is private.
---@field labels Labels Labels of `runs-on`, in lower case and sorted.
---@field branch? string Branch of the run's commit.
---@field default_branch? string Default branch of the repository, where it is known.
---@field commit string The run's commit.
---@field event string Event that triggered the run (`push`, `schedule`), or `unknown`.
---@field actor? string Who triggered the run.
---@field run_id integer GitHub's id of the run.
---@field attempt integer Attempt of the run, from 1.
---@field url? string The job's page at GitHub.
---@field environment? string Deployment environment of the job's definition.
---@field definition? Definition Its text in the workflow file, where it was found.
---@field from_fork boolean Whether the code comes from a fork, as far as is known.
---@field trust string Whose code it runs: `own`, `fork`, or `unknown` where its run could not be looked up.
---@field estimate? Estimate What it is expected to need, once estimated.
---@field tries integer Starts that failed so far.
---@field created_at number When GitHub made it, in seconds since 1970.
---@field waiting_seconds? number How long it has waited.
---@field clock? Clock When the question is asked. For affinity, which is not given the fleet.

--- How a pool stood at a moment.
---@class Sample
---@field at number When, in seconds since 1970.
---@field total integer Live containers.
---@field busy integer Live containers with a job.
---@field pending integer Queued jobs that the pool could serve.
---@field utilisation number Busy ÷ live containers, 0 to 1.

--- Containers that share a template.
---@class Pool
---@field name string Name in the configuration.
---@field engine string Where its containers run: `docker`, `process`.
---@field image string What its containers are made from.
---@field labels Labels What its runners may offer.
---@field cpus number CPU cores of a container.
---@field memory_mb integer Memory of a container in MiB.
---@field disk_mb integer Disk of a container in MiB.
---@field gpus integer GPUs of a container.
---@field forks boolean Whether jobs of forks may run here.
---@field reuse integer Jobs of one repository that a container may serve; 1 is no reuse.
---@field minimum integer Containers that exist even when nothing is to do.
---@field maximum integer Containers at most.
---@field warm integer Idle containers to keep ready beyond the busy ones.
---@field total integer Live containers.
---@field idle integer Live containers that are ready and have no job.
---@field busy integer Live containers with a job.
---@field creating integer Live containers that are still being made.
---@field unhealthy integer Live containers that are isolated because health checks failed.
---@field ending integer Live containers that take no more jobs.
---@field pending integer Queued jobs that this pool could serve.
---@field active integer Jobs that hold one of its containers.
---@field utilisation number Busy ÷ live containers, 0 to 1; 0 where none is live.
---@field start_failures integer Starts that failed in the last ten minutes.
---@field grown_at? number When it last grew for load, in seconds since 1970, since RunnerHub started.
---@field shrunk_at? number When it last shrank for want of load, in seconds since 1970, since RunnerHub started.
---@field history Sample[] How it stood in the last ten minutes: a sample a minute, oldest first.

--- The waiting jobs of one class: of one scope, runner group and set of labels.
---@class Queue
---@field scope string Where their runners are registered: an organisation, or a repository.
---@field group string Runner group; empty for the default one.
---@field labels Labels What the jobs ask for.
---@field count integer Jobs that wait.
---@field pool? string The first pool that offers the labels.
---@field priority string Priority of the job that goes next.
---@field waiting_seconds number How long the job that goes next has waited.
---@field forks boolean Whether a fork's job is among them.

--- What the jobs of one repository hold.
---@class Use
---@field repository string `owner/name`.
---@field active integer Containers that its jobs hold.

--- How long the jobs that started in the last ten minutes had waited.
---@class Waits
---@field count integer Jobs that started.
---@field p50? number Seconds that half of them did not exceed; absent where none started.
---@field p95? number Seconds that 95 % of them did not exceed; absent where none started.

--- Everything that RunnerHub runs, at one moment.
---@class Fleet
---@field now number The time, in seconds since 1970 (UTC). The only clock of a policy.
---@field clock Clock The same as the calendar has it.
---@field pools Pool[] All pools, as configured.
---@field queue Queue[] Classes with waiting jobs, the most urgent first; a hundred at most.
---@field classes integer Classes with waiting jobs, all of them.
---@field repositories Use[] Repositories whose jobs hold containers, the largest first; a hundred at most.
---@field waits Waits Recent waits.
---@field pending integer Queued jobs.
---@field active integer Jobs that hold a container.
---@field total integer Live containers of all pools.
---@field idle integer Those that are ready and have no job.
---@field busy integer Those with a job.
---@field utilisation number Busy ÷ live containers of all pools, 0 to 1.
---@field draining boolean Whether RunnerHub is shutting down.

--- A candidate for a job: a warm container, or a new one of a pool.
---@class Container
---@field id string Identity; empty for a new one.
---@field name string Short name.
---@field pool string Name of its pool.
---@field engine string Where it runs: `docker`, `process`.
---@field image string What it is made from.
---@field is_new boolean Whether it would have to be created.
---@field is_starting boolean Whether it is still being made.
---@field labels Labels What its runners offer.
---@field cpus number CPU cores.
---@field memory_mb integer Memory in MiB.
---@field disk_mb integer Disk in MiB.
---@field gpus integer GPUs.
---@field uses integer Jobs given to it so far.
---@field repository? string Repository whose jobs it served, `owner/name`.
---@field last_workflow? string Workflow of the job that it served last.
---@field last_job? string Name of the job that it served last.
---@field last_branch? string Branch of the job that it served last.
---@field failed_checks integer Health checks in a row that failed; an unhealthy container is no candidate.
---@field age_seconds number Time since it was created.
---@field idle_seconds number Time since its last job, or since it was ready.

--- Which jobs run here, and which stay on traditional runners. Asked once for each job.
---@class Routing
---@field api 1
---@field route fun(job: Job, fleet: Fleet): "orchestrator"|"traditional", string? Who runs the job. The host's rules stand above it: without a pool that offers the labels, a job stays traditional.

--- Which jobs go first. Asked once for each job that runs here.
---@class PriorityPolicy
---@field api 1
---@field prioritise fun(job: Job, fleet: Fleet): "CRITICAL"|"HIGH"|"NORMAL"|"LOW", string?, number? How urgent the job is. What it says is a place in the queue, which does not change while the job waits.

--- Which container fits a job best. Asked in each turn in which a job waits and there is room for it; of a pool's unused containers, which are alike, at most sixteen are shown.
---@class Affinity
---@field api 1
---@field filter? fun(job: Job, container: Container): boolean, string? Whether the job may have the container. Where all are left out, the job waits and is asked for again a few seconds later, so that `false` also means "not yet".
---@field score fun(job: Job, container: Container): number, string? How well the container fits. Within five points what can begin soonest goes first, and then the strategy decides.
---@field strategy? fun(job: Job): "round-robin"|"least-loaded"|"resource-aware"|"affinity"|nil How ties are broken for this job.

--- How large a pool is. Asked every few seconds for each pool.
---@class Scaling
---@field api 1
---@field scale fun(pool: Pool, fleet: Fleet): integer, string? How many containers the pool should have in all. The host keeps it between minimum and maximum, and never below the busy ones and the pool's `warm`: set `warm: 0` where the policy is to decide alone.

--- The tables of the bundle's `data/*.yaml`, read-only: `data.teams` is `data/teams.yaml`. An unknown name is an error.
---@type table<string, any>
data = {}

--- Where the texts fall between 0 and 100: always the same for the same texts, on every machine, and spread evenly. `percent(job.repository, job.workflow_path or "") < 10` is a tenth of all workflows, and stays that tenth.
---@param text string
---@param ... string
---@return number percent 0 ≤ x < 100.
function percent(text, ...) end

--- A module of `lib/`: `require("lib.words")` is `lib/words.lua`. Tests may require the policy files too.
---@param name string
---@return any module
function require(name) end

-- In _test.lua files only.

---@class Expectation
---@field equals fun(wanted: any) Equal, tables by content.
---@field contains fun(part: string) A text that contains another.
---@field between fun(low: number, high: number) A number within bounds.
---@field fails fun(part?: string) A function that raises an error, with this text in it.

--- A test. Its name is a sentence.
---@param name string
---@param body fun()
function test(name, body) end

--- What is to hold of a value: `equals`, `contains`, `between`, `fails`.
---@param value any
---@return Expectation expectation
function expect(value) end

--- An input as the host would make it. What is left out is filled. `clock = "2025-01-06 09:00"` sets the moment at which it is asked for.
---@param given? table
---@return Job job
function job(given) end

--- An input as the host would make it. What is left out is filled.
---@param given? table
---@return Pool pool
function pool(given) end

--- An input as the host would make it. What is left out is filled. `clock = "2025-01-06 09:00"` or `now` sets both.
---@param given? table
---@return Fleet fleet
function fleet(given) end

--- An input as the host would make it. What is left out is filled.
---@param given? table
---@return Container container
function container(given) end

--- Seconds since 1970 of a time in UTC.
---@param text string `2025-01-06 09:00`.
---@return integer seconds
function moment(text) end
