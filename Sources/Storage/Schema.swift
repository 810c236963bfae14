extension Migration {
  /// Every step since the first release. Append only: a step that was released is never edited.
  ///
  /// The column `metadata` holds the whole value as JSON and is what is read back; the other columns are what queries and people look at.
  static let all = [
    Migration(number: 1, name: "deliveries", sql: deliveries),
    Migration(number: 2, name: "jobs, assignments, containers", sql: core),
    Migration(number: 3, name: "outbox, decisions, timeline, transitions, memory", sql: records),
    Migration(number: 4, name: "row counts", sql: counts),
    Migration(number: 5, name: "transitions of deliveries", sql: deliveryTransitions),
    Migration(number: 6, name: "ranks of effects", sql: effectRanks),
    Migration(number: 7, name: "jobs by repository", sql: jobsByRepository),
    Migration(number: 8, name: "policy archive and inputs of decisions", sql: policies),
    Migration(number: 9, name: "outcomes of jobs by side", sql: jobOutcomes),
    Migration(number: 10, name: "comparisons of bundles", sql: comparisons),
    Migration(number: 11, name: "audit", sql: audit),
    Migration(number: 12, name: "jobs left to others by class", sql: leftJobs),
    Migration(number: 13, name: "alerts and notifications", sql: alerts),
    Migration(number: 14, name: "earlier runs of a job", sql: earlierRuns),
  ]

  private static let deliveries = """
    CREATE TABLE deliveries (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      guid VARCHAR NOT NULL,
      hook_id VARCHAR NOT NULL,
      event VARCHAR NOT NULL,
      target VARCHAR,
      body BLOB NOT NULL,
      received_at TIMESTAMP NOT NULL,
      status VARCHAR NOT NULL DEFAULT 'pending',
      note VARCHAR,
      job_id VARCHAR,
      UNIQUE (guid, hook_id)
    );
    CREATE INDEX deliveries_pending ON deliveries (id) WHERE status = 'pending';
    """

  /// `detail` holds what the columns of a decision do not; decisions of before have none.
  private static let policies = """
    ALTER TABLE decisions ADD COLUMN detail VARCHAR;
    CREATE INDEX decisions_by_time ON decisions (at);
    CREATE TABLE decision_inputs (
      digest VARCHAR PRIMARY KEY NOT NULL,
      kind VARCHAR NOT NULL,
      content BLOB NOT NULL,
      at TIMESTAMP NOT NULL
    );
    CREATE INDEX decision_inputs_by_time ON decision_inputs (at);
    CREATE TABLE policy_bundles (
      digest VARCHAR PRIMARY KEY NOT NULL,
      files BLOB NOT NULL,
      stored_at TIMESTAMP NOT NULL
    );
    CREATE TABLE policy_events (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind VARCHAR NOT NULL,
      slot VARCHAR NOT NULL,
      bundle VARCHAR,
      percent DOUBLE,
      actor VARCHAR NOT NULL,
      detail VARCHAR,
      at TIMESTAMP NOT NULL
    );
    CREATE INDEX policy_events_by_slot ON policy_events (slot, id);
    """

  /// What reports on the migration count: narrow rows, one a job, since those of `orchestrator_jobs` are wide. Those of before are made from them;
  /// their causes are not known. Times within `metadata` are seconds.
  private static let jobOutcomes = """
    CREATE TABLE job_outcomes (
      job_id VARCHAR PRIMARY KEY NOT NULL,
      received_at TIMESTAMP NOT NULL,
      side VARCHAR NOT NULL,
      cause VARCHAR NOT NULL,
      reason VARCHAR NOT NULL,
      repository VARCHAR NOT NULL,
      workflow VARCHAR NOT NULL,
      labels VARCHAR NOT NULL,
      outcome VARCHAR NOT NULL,
      runner VARCHAR NOT NULL,
      wait_seconds DOUBLE PRECISION,
      run_seconds DOUBLE PRECISION
    );
    CREATE INDEX job_outcomes_by_time ON job_outcomes (received_at);
    INSERT INTO job_outcomes
    SELECT
      id, received_at,
      CASE
        WHEN coalesce(metadata ->> '$.runnerName', '') = '' THEN metadata ->> '$.route'
        WHEN metadata ->> '$.runnerName' = coalesce(metadata ->> '$.assignment', '') THEN 'orchestrator'
        ELSE 'traditional'
      END,
      'unknown', coalesce(metadata ->> '$.routeReason', ''), repository, workflow,
      (SELECT coalesce(group_concat(label, ','), '')
        FROM (SELECT DISTINCT lower(value) AS label FROM json_each(metadata, '$.labels') WHERE value <> '' ORDER BY 1)),
      CASE
        WHEN metadata ->> '$.refusal' IS NOT NULL THEN 'refused'
        WHEN status = 'failed' THEN 'failed'
        WHEN status NOT IN ('completed', 'cancelled') THEN 'open'
        WHEN metadata ->> '$.conclusion' IN ('failure', 'timed_out', 'startup_failure') THEN 'failed'
        WHEN metadata ->> '$.conclusion' IN ('success', 'neutral') THEN 'succeeded'
        ELSE 'cancelled'
      END,
      coalesce(metadata ->> '$.runnerName', ''),
      max(0, (metadata ->> '$.startedAt') - (metadata ->> '$.queuedAt')),
      max(0, (metadata ->> '$.completedAt') - (metadata ->> '$.startedAt'))
    FROM orchestrator_jobs WHERE CASE WHEN json_valid(metadata) THEN metadata ->> '$.route' END IS NOT NULL;
    """

  /// Decisions of which another bundle was asked too.
  private static let comparisons = """
    ALTER TABLE decisions ADD COLUMN is_canary INTEGER;
    ALTER TABLE decisions ADD COLUMN other_bundle VARCHAR;
    ALTER TABLE decisions ADD COLUMN other_output VARCHAR;
    ALTER TABLE decisions ADD COLUMN differs INTEGER;
    CREATE INDEX decisions_compared ON decisions (at, kind, is_canary, bundle, other_bundle, differs, output, other_output)
      WHERE differs IS NOT NULL;
    CREATE INDEX decisions_differing ON decisions (id) WHERE differs = 1;
    """

  /// What the planner must know of jobs that it does not plan, each a seek.
  private static let leftJobs = """
    CREATE INDEX left_repositories ON orchestrator_jobs (class_key, repository) WHERE status = 'forwarded';
    CREATE INDEX left_forks ON orchestrator_jobs (class_key) WHERE status = 'forwarded' AND is_fork = 1;
    CREATE INDEX left_cpus ON orchestrator_jobs (class_key, milli_cpus) WHERE status = 'forwarded';
    CREATE INDEX left_memory ON orchestrator_jobs (class_key, memory_bytes) WHERE status = 'forwarded';
    CREATE INDEX left_disk ON orchestrator_jobs (class_key, disk_bytes) WHERE status = 'forwarded';
    CREATE INDEX left_gpus ON orchestrator_jobs (class_key, gpus) WHERE status = 'forwarded' AND gpus > 0;
    """

  /// One alert a key is open; each telling of one is owed once.
  private static let alerts = """
    CREATE TABLE alerts (
      id VARCHAR PRIMARY KEY NOT NULL,
      key VARCHAR NOT NULL,
      severity VARCHAR NOT NULL,
      title VARCHAR NOT NULL,
      text VARCHAR NOT NULL,
      raised_at TIMESTAMP NOT NULL,
      resolved_at TIMESTAMP
    );
    CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE resolved_at IS NULL;
    CREATE INDEX alerts_by_time ON alerts (raised_at);
    CREATE TABLE notifications (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      alert_id VARCHAR NOT NULL,
      moment VARCHAR NOT NULL,
      notifier VARCHAR NOT NULL,
      status VARCHAR NOT NULL,
      due_at TIMESTAMP NOT NULL,
      tries BIGINT NOT NULL,
      failure VARCHAR,
      UNIQUE (alert_id, notifier, moment)
    );
    CREATE INDEX notifications_pending ON notifications (notifier, due_at, id) WHERE status = 'pending';
    """

  /// Estimates ask how long a job of this name took. Names of before are taken from the jobs.
  private static let earlierRuns = """
    ALTER TABLE job_outcomes ADD COLUMN name VARCHAR NOT NULL DEFAULT '';
    UPDATE job_outcomes SET name = coalesce(
      (SELECT CASE WHEN json_valid(metadata) THEN metadata ->> '$.name' END FROM orchestrator_jobs WHERE id = job_id), '');
    CREATE INDEX job_outcomes_by_job ON job_outcomes (repository, workflow, name, received_at, run_seconds, outcome)
      WHERE outcome = 'succeeded' AND run_seconds IS NOT NULL;
    """

  private static let audit = """
    CREATE TABLE audit_events (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at TIMESTAMP NOT NULL,
      actor VARCHAR NOT NULL,
      action VARCHAR NOT NULL,
      detail VARCHAR NOT NULL
    );
    """

  /// Rows of before have none: they are recognised by their GUID, and their transitions by the table `transitions` when they are applied.
  private static let deliveryTransitions = """
    ALTER TABLE deliveries ADD COLUMN transition VARCHAR;
    CREATE UNIQUE INDEX deliveries_by_transition ON deliveries (transition) WHERE transition IS NOT NULL;
    """

  /// While the forge takes little, only urgent effects are read, however many others wait.
  private static let effectRanks = """
    ALTER TABLE outbox ADD COLUMN rank VARCHAR NOT NULL DEFAULT 'urgent';
    UPDATE outbox SET rank = 'ordinary' WHERE json_extract(kind, '$.status._0.status') IN ('queued', 'in_progress');
    CREATE INDEX outbox_by_rank ON outbox (rank, due_at, key);
    """

  /// The newest job of a repository is found without a look at its others.
  private static let jobsByRepository = """
    CREATE INDEX jobs_by_repository ON orchestrator_jobs (repository, received_at, id);
    """

  private static let core = """
    CREATE TABLE orchestrator_jobs (
      id VARCHAR PRIMARY KEY NOT NULL,
      repository VARCHAR NOT NULL,
      workflow VARCHAR NOT NULL,
      status VARCHAR NOT NULL,
      created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      started_at TIMESTAMP,
      completed_at TIMESTAMP,
      container_id VARCHAR,
      metadata JSONB NOT NULL,
      version INTEGER NOT NULL,
      received_at TIMESTAMP NOT NULL,
      run_id BIGINT NOT NULL,
      run_attempt BIGINT NOT NULL,
      refusal_action VARCHAR,
      wait_seconds DOUBLE PRECISION,
      class_key VARCHAR,
      order_key DOUBLE PRECISION,
      is_fork INTEGER NOT NULL,
      milli_cpus BIGINT,
      memory_bytes BIGINT,
      disk_bytes BIGINT,
      gpus BIGINT
    );
    CREATE INDEX jobs_by_age ON orchestrator_jobs (received_at, id);
    CREATE INDEX jobs_by_status ON orchestrator_jobs (status, received_at, id);
    CREATE INDEX jobs_by_run ON orchestrator_jobs (run_id, run_attempt, id);
    CREATE INDEX jobs_started ON orchestrator_jobs (started_at, wait_seconds) WHERE wait_seconds IS NOT NULL;
    CREATE INDEX jobs_for_hook ON orchestrator_jobs (received_at, id) WHERE status = 'refused' AND refusal_action = 'failByHook';
    CREATE INDEX queue_order ON orchestrator_jobs (class_key, order_key, id) WHERE status = 'queued';
    CREATE INDEX queue_forks ON orchestrator_jobs (class_key) WHERE status = 'queued' AND is_fork = 1;
    CREATE INDEX queue_cpus ON orchestrator_jobs (class_key, milli_cpus) WHERE status = 'queued';
    CREATE INDEX queue_memory ON orchestrator_jobs (class_key, memory_bytes) WHERE status = 'queued';
    CREATE INDEX queue_disk ON orchestrator_jobs (class_key, disk_bytes) WHERE status = 'queued';
    CREATE INDEX queue_gpus ON orchestrator_jobs (class_key, gpus) WHERE status = 'queued' AND gpus > 0;

    CREATE TABLE container_assignments (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id VARCHAR NOT NULL,
      container_id VARCHAR NOT NULL,
      assigned_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      released_at TIMESTAMP,
      priority INTEGER DEFAULT 3,
      runner_name VARCHAR NOT NULL UNIQUE,
      phase VARCHAR NOT NULL,
      class_key VARCHAR NOT NULL,
      metadata JSONB NOT NULL,
      version INTEGER NOT NULL
    );
    CREATE INDEX assignments_active ON container_assignments (assigned_at, id) WHERE phase <> 'released';
    CREATE INDEX assignments_by_job ON container_assignments (job_id, assigned_at, id);

    CREATE TABLE container_registry (
      id VARCHAR PRIMARY KEY NOT NULL,
      name VARCHAR NOT NULL,
      image VARCHAR NOT NULL,
      status VARCHAR NOT NULL,
      labels JSONB,
      resources JSONB,
      health_status JSONB,
      created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      last_heartbeat TIMESTAMP,
      pool VARCHAR NOT NULL,
      engine VARCHAR NOT NULL,
      runner_name VARCHAR,
      metadata JSONB NOT NULL,
      version INTEGER NOT NULL
    );
    CREATE INDEX containers_live ON container_registry (created_at, id) WHERE status <> 'GONE';
    CREATE INDEX containers_gone ON container_registry (created_at, id) WHERE status = 'GONE';
    """

  private static let records = """
    CREATE TABLE outbox (
      key VARCHAR PRIMARY KEY NOT NULL,
      kind JSONB NOT NULL,
      due_at TIMESTAMP NOT NULL,
      tries BIGINT NOT NULL,
      revision BIGINT NOT NULL
    );
    CREATE INDEX outbox_due ON outbox (due_at, key);

    CREATE TABLE decisions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      kind VARCHAR NOT NULL,
      job_id VARCHAR,
      pool VARCHAR,
      output VARCHAR NOT NULL,
      reason VARCHAR NOT NULL,
      bundle VARCHAR NOT NULL,
      fallback_cause VARCHAR,
      microseconds DOUBLE PRECISION NOT NULL,
      at TIMESTAMP NOT NULL
    );
    CREATE INDEX decisions_by_job ON decisions (job_id, id);

    CREATE TABLE timeline (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id VARCHAR NOT NULL,
      at TIMESTAMP NOT NULL,
      text VARCHAR NOT NULL
    );
    CREATE INDEX timeline_by_job ON timeline (job_id, at, id);

    CREATE TABLE transitions (
      job_id VARCHAR NOT NULL,
      action VARCHAR NOT NULL,
      PRIMARY KEY (job_id, action)
    );

    CREATE TABLE memory (
      key VARCHAR PRIMARY KEY NOT NULL,
      value VARCHAR NOT NULL
    );
    """

  /// Counts that are kept by triggers, so that asking for them costs nothing however many rows there are. `outbox` counts revisions given.
  private static let counts = """
    CREATE TABLE row_counts (
      subject VARCHAR NOT NULL,
      key VARCHAR NOT NULL,
      total BIGINT NOT NULL,
      PRIMARY KEY (subject, key)
    );
    INSERT INTO row_counts (subject, key, total) VALUES ('outbox', 'revision', 0);

    CREATE TRIGGER deliveries_counted AFTER INSERT ON deliveries BEGIN
      INSERT INTO row_counts VALUES ('deliveries', NEW.status, 1) ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER deliveries_recounted AFTER UPDATE OF status ON deliveries BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'deliveries' AND key = OLD.status;
      INSERT INTO row_counts VALUES ('deliveries', NEW.status, 1) ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER deliveries_discounted AFTER DELETE ON deliveries BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'deliveries' AND key = OLD.status;
    END;

    CREATE TRIGGER jobs_counted AFTER INSERT ON orchestrator_jobs BEGIN
      INSERT INTO row_counts VALUES ('jobs', NEW.status, 1) ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER jobs_recounted AFTER UPDATE OF status ON orchestrator_jobs WHEN OLD.status <> NEW.status BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'jobs' AND key = OLD.status;
      INSERT INTO row_counts VALUES ('jobs', NEW.status, 1) ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER jobs_discounted AFTER DELETE ON orchestrator_jobs BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'jobs' AND key = OLD.status;
    END;

    CREATE TRIGGER queue_entered AFTER INSERT ON orchestrator_jobs
    WHEN NEW.status = 'queued' AND NEW.class_key IS NOT NULL BEGIN
      INSERT INTO row_counts VALUES ('queue', NEW.class_key, 1) ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER queue_changed AFTER UPDATE OF status, class_key ON orchestrator_jobs
    WHEN OLD.status <> NEW.status OR OLD.class_key IS NOT NEW.class_key BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'queue' AND key = OLD.class_key AND OLD.status = 'queued';
      DELETE FROM row_counts WHERE subject = 'queue' AND key = OLD.class_key AND total = 0;
      INSERT INTO row_counts SELECT 'queue', NEW.class_key, 1 WHERE NEW.status = 'queued' AND NEW.class_key IS NOT NULL
        ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER queue_left AFTER DELETE ON orchestrator_jobs WHEN OLD.status = 'queued' BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'queue' AND key = OLD.class_key;
      DELETE FROM row_counts WHERE subject = 'queue' AND key = OLD.class_key AND total = 0;
    END;

    CREATE TRIGGER decisions_counted AFTER INSERT ON decisions BEGIN
      INSERT INTO row_counts VALUES ('decisions', '', 1) ON CONFLICT (subject, key) DO UPDATE SET total = total + 1;
    END;
    CREATE TRIGGER decisions_discounted AFTER DELETE ON decisions BEGIN
      UPDATE row_counts SET total = total - 1 WHERE subject = 'decisions';
    END;
    """
}
