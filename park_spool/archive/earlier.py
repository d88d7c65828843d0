"""The first two schemas of the archive, frozen: what the migrations 0001 and 0002 run, and what 0003 brings to date.

Nothing here is ever edited; tables.py, spool_tables.py and views.py say what an archive looks like now.
"""

TABLES = """
CREATE TABLE meta (  -- 'identity': made with the file, so that a new file is known as a new archive
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sessions (
  sid TEXT PRIMARY KEY,
  user TEXT NOT NULL,
  email TEXT NOT NULL,
  file TEXT NOT NULL,  -- its name in the inbox
  priority INTEGER NOT NULL,
  state TEXT NOT NULL,  -- queued, running, paused, done, failed, cancelled, deleted
  received REAL NOT NULL,  -- this and every time: seconds since 1970, UTC
  closed REAL,
  session TEXT NOT NULL,  -- session.json: the session as understood
  xml TEXT NOT NULL  -- the session as received
);

CREATE TABLE groups (
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,  -- this and every number of a group, job list or job: from 1
  name TEXT NOT NULL,
  task TEXT NOT NULL,
  reducer TEXT,
  stopped TEXT,  -- why the reducer was stopped, if it was
  PRIMARY KEY (sid, group_number)
) WITHOUT ROWID;

CREATE TABLE joblists (  -- with the sums over its jobs
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  priority INTEGER NOT NULL DEFAULT 0,
  jobs INTEGER NOT NULL DEFAULT 0,  -- how many it has
  ok INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,  -- for good, in any way
  duplicates INTEGER NOT NULL DEFAULT 0,
  first_started REAL,  -- of everything that was run of it, attempts too
  last_finished REAL,
  PRIMARY KEY (sid, group_number, joblist_number)
) WITHOUT ROWID;

CREATE TABLE jobs (  -- one small row for each job that has its final result
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  status TEXT NOT NULL,  -- ok, failed, timeout, cancelled, lost
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  node TEXT NOT NULL,
  started REAL NOT NULL,
  seconds REAL NOT NULL,
  finished REAL NOT NULL,
  chisq REAL,  -- the plain sum of squared residuals over errors
  npoints INTEGER,
  dof INTEGER,
  nllf REAL,
  seed INTEGER,
  duplicates INTEGER NOT NULL DEFAULT 0,  -- other final results of the job that were seen
  PRIMARY KEY (sid, group_number, joblist_number, job_number)
) WITHOUT ROWID;
CREATE INDEX jobs_by_chisq ON jobs (sid, group_number, chisq, finished) WHERE chisq IS NOT NULL;
CREATE INDEX jobs_not_ok ON jobs (sid, group_number, joblist_number, job_number) WHERE status <> 'ok';

CREATE TABLE results (  -- what a job said; a job that said nothing has no row
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  output TEXT NOT NULL,
  why TEXT,
  stderr TEXT,
  exit INTEGER,
  signal INTEGER,
  data TEXT,  -- JSON: the digest of each data set that was read
  PRIMARY KEY (sid, group_number, joblist_number, job_number)
);

CREATE TABLE final_ranges (  -- the jobs that are in `jobs`, as ranges start <= job < stop
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  start INTEGER NOT NULL,
  stop INTEGER NOT NULL,
  PRIMARY KEY (sid, group_number, joblist_number, start)
) WITHOUT ROWID;

CREATE TABLE duplicates (  -- final results that another one of the same job beat
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  node TEXT NOT NULL,
  status TEXT NOT NULL,
  started REAL NOT NULL,
  seconds REAL NOT NULL,
  PRIMARY KEY (sid, group_number, joblist_number, job_number, round, attempt, node)
) WITHOUT ROWID;

CREATE TABLE attempts (  -- runs that ended nothing: the job was tried again, or cancelled
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  round INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  node TEXT NOT NULL,
  status TEXT NOT NULL,
  started REAL NOT NULL,
  seconds REAL NOT NULL,
  why TEXT,
  exit INTEGER,
  signal INTEGER,
  stderr TEXT,
  PRIMARY KEY (sid, group_number, joblist_number, job_number, round, attempt, node)
);

CREATE TABLE history (  -- the jobs with a lower chisq than every one that finished earlier in the group
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  finished REAL NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  chisq REAL NOT NULL,
  PRIMARY KEY (sid, group_number, finished, joblist_number, job_number)
) WITHOUT ROWID;

CREATE TABLE texts (  -- what a reducer put, under its keys
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  keys TEXT NOT NULL,  -- JSON, sorted
  text TEXT NOT NULL,
  PRIMARY KEY (sid, group_number, keys)
);

CREATE TABLE messages (  -- what a reducer said, in order
  id INTEGER PRIMARY KEY,
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  at REAL NOT NULL,
  text TEXT NOT NULL
);
CREATE INDEX messages_by_session ON messages (sid, group_number);

CREATE TABLE nodes (  -- the newest heartbeat of each node
  node TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  cpus INTEGER NOT NULL,
  state TEXT NOT NULL,
  seen REAL NOT NULL,
  units INTEGER NOT NULL,  -- in its hands
  heartbeat TEXT NOT NULL  -- JSON
);

CREATE TABLE replies (  -- the reply files that are in here, and the bundle in reduced/ that keeps each
  name TEXT PRIMARY KEY,
  sid TEXT NOT NULL,
  bundle TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE bundles (  -- the bundles in reduced/ that are in here
  sid TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;
"""

LATER = """
CREATE TABLE files (  -- what jobs left in $PARK_OUTPUT, of the result that counts; they lie in files/SID/SHA256
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  name TEXT NOT NULL,  -- its path below $PARK_OUTPUT
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (sid, group_number, joblist_number, job_number, name)
) WITHOUT ROWID;

CREATE TABLE running (  -- the jobs that live nodes say they run, by their newest heartbeats
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  node TEXT NOT NULL,
  started REAL NOT NULL,
  seconds REAL NOT NULL,  -- so far
  chisq REAL,  -- the best so far, if the job says so while it runs
  line TEXT,  -- what it said last
  PRIMARY KEY (sid, group_number, joblist_number, job_number, node)
) WITHOUT ROWID;

CREATE TABLE retries (  -- the retry files of sessions that are in here
  sid TEXT NOT NULL,
  name TEXT NOT NULL,
  round INTEGER NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;

ALTER TABLE duplicates ADD COLUMN why TEXT;
ALTER TABLE duplicates ADD COLUMN exit INTEGER;
ALTER TABLE duplicates ADD COLUMN signal INTEGER;
ALTER TABLE duplicates ADD COLUMN stderr TEXT;
"""

VIEWS = """
CREATE VIEW best AS  -- the best fit of each group
SELECT j.sid, j.group_number, g.name AS group_name,
  printf('%d.%d.%d', j.group_number, j.joblist_number, j.job_number) AS job,
  j.chisq, j.chisq / nullif(j.dof, 0) AS reduced_chisq, j.npoints, j.dof, j.nllf, j.seed, j.node, j.seconds,
  strftime('%Y-%m-%dT%H:%M:%SZ', j.finished, 'unixepoch') AS finished, r.output
FROM history h  -- few rows: the best fit is the last step of the staircase
CROSS JOIN jobs j USING (sid, group_number, joblist_number, job_number)
LEFT JOIN groups g USING (sid, group_number)
LEFT JOIN results r USING (sid, group_number, joblist_number, job_number)
WHERE NOT EXISTS (
  SELECT 1 FROM history later WHERE later.sid = h.sid AND later.group_number = h.group_number
  AND (later.finished, later.joblist_number, later.job_number) > (h.finished, h.joblist_number, h.job_number));

CREATE VIEW progress AS  -- how far each session is
SELECT s.sid, s.user, s.file, s.state, s.priority, s.received, s.closed,
  coalesce(sum(l.jobs), 0) AS jobs, coalesce(sum(l.ok), 0) AS ok, coalesce(sum(l.failed), 0) AS failed,
  coalesce(sum(l.jobs - l.ok - l.failed), 0) AS waiting, coalesce(sum(l.duplicates), 0) AS duplicates,
  min(l.first_started) AS first_started, max(l.last_finished) AS last_finished,
  (SELECT min(b.chisq) FROM best b WHERE b.sid = s.sid) AS best_chisq,
  (SELECT b.job FROM best b WHERE b.sid = s.sid ORDER BY b.chisq, b.group_number LIMIT 1) AS best_job
FROM sessions s LEFT JOIN joblists l USING (sid)
GROUP BY s.sid;

CREATE VIEW failures AS  -- the jobs that failed for good
SELECT j.sid, j.group_number, printf('%d.%d.%d', j.group_number, j.joblist_number, j.job_number) AS job,
  j.status, r.why, r.exit, r.signal, j.node, j.round, j.attempt, j.seconds,
  strftime('%Y-%m-%dT%H:%M:%SZ', j.finished, 'unixepoch') AS finished, r.stderr
FROM jobs j INDEXED BY jobs_not_ok  -- or the planner walks over all jobs of the session
LEFT JOIN results r USING (sid, group_number, joblist_number, job_number)
WHERE j.status <> 'ok';
"""
