"""The tables of sessions and of what their jobs gave; `.schema` in sqlite3 shows the same text, remarks and all.

docs/archive.md explains them to users, and a test runs every query that stands there. Foreign keys are declared and,
since that costs time, not enforced while the reducer writes: `park archive check` holds the rows against them.

`jobs` holds small rows without outputs, so that counting and plotting never read a curve; `results` holds the
texts.  `joblists` (its sums), `final_ranges` and `history` follow from `jobs` and are kept in step with it, as
`parameters` is with `results`.
"""

TABLES = """
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
CREATE INDEX sessions_to_find ON sessions (sid, user, state, file);

CREATE TABLE groups (
  sid TEXT NOT NULL REFERENCES sessions (sid),
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
  PRIMARY KEY (sid, group_number, joblist_number),
  FOREIGN KEY (sid, group_number) REFERENCES groups (sid, group_number)
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
  dataset TEXT,  -- the data set that the job is about, if it is about one
  duplicates INTEGER NOT NULL DEFAULT 0,  -- other final results of the job that were seen
  PRIMARY KEY (sid, group_number, joblist_number, job_number),
  FOREIGN KEY (sid, group_number, joblist_number) REFERENCES joblists (sid, group_number, joblist_number)
) WITHOUT ROWID;
CREATE INDEX jobs_by_chisq ON jobs (sid, group_number, chisq, finished) WHERE chisq IS NOT NULL;
CREATE INDEX jobs_by_dataset ON jobs (sid, group_number, dataset, chisq) WHERE dataset IS NOT NULL;
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
  PRIMARY KEY (sid, group_number, joblist_number, job_number),
  FOREIGN KEY (sid, group_number, joblist_number, job_number)
    REFERENCES jobs (sid, group_number, joblist_number, job_number)
);

CREATE TABLE parameters (  -- each parameter that a job gave, out of its output; numbers that are none are NULL
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  place INTEGER NOT NULL,  -- in the output's list, from 1
  name TEXT NOT NULL,
  value REAL,
  error REAL,
  unit TEXT,
  min REAL,
  max REAL,
  start REAL,  -- where the fit began
  PRIMARY KEY (sid, group_number, joblist_number, job_number, place),
  FOREIGN KEY (sid, group_number, joblist_number, job_number)
    REFERENCES jobs (sid, group_number, joblist_number, job_number)
) WITHOUT ROWID;

CREATE TABLE files (  -- what jobs left in $PARK_OUTPUT, of the result that counts; they lie in files/SID/SHA256
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  name TEXT NOT NULL,  -- its path below $PARK_OUTPUT
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  PRIMARY KEY (sid, group_number, joblist_number, job_number, name),
  FOREIGN KEY (sid, group_number, joblist_number, job_number)
    REFERENCES jobs (sid, group_number, joblist_number, job_number)
) WITHOUT ROWID;

CREATE TABLE final_ranges (  -- the jobs that are in `jobs`, as ranges start <= job < stop
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  start INTEGER NOT NULL,
  stop INTEGER NOT NULL,
  PRIMARY KEY (sid, group_number, joblist_number, start),
  FOREIGN KEY (sid, group_number, joblist_number) REFERENCES joblists (sid, group_number, joblist_number)
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
  why TEXT,
  exit INTEGER,
  signal INTEGER,
  stderr TEXT,
  PRIMARY KEY (sid, group_number, joblist_number, job_number, round, attempt, node),
  FOREIGN KEY (sid, group_number, joblist_number, job_number)
    REFERENCES jobs (sid, group_number, joblist_number, job_number)
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
  PRIMARY KEY (sid, group_number, joblist_number, job_number, round, attempt, node),
  FOREIGN KEY (sid, group_number, joblist_number) REFERENCES joblists (sid, group_number, joblist_number)
);

CREATE TABLE history (  -- the jobs with a lower chisq than every one that finished earlier in the group
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  finished REAL NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  chisq REAL NOT NULL,
  PRIMARY KEY (sid, group_number, finished, joblist_number, job_number),
  FOREIGN KEY (sid, group_number, joblist_number, job_number)
    REFERENCES jobs (sid, group_number, joblist_number, job_number)
) WITHOUT ROWID;

CREATE TABLE texts (  -- what a reducer put, under its keys
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  keys TEXT NOT NULL,  -- JSON, sorted
  text TEXT NOT NULL,
  PRIMARY KEY (sid, group_number, keys),
  FOREIGN KEY (sid, group_number) REFERENCES groups (sid, group_number)
);

CREATE TABLE messages (  -- what a reducer said, in order
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  number INTEGER NOT NULL,  -- in its group, from 1
  at REAL NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (sid, group_number, number),
  FOREIGN KEY (sid, group_number) REFERENCES groups (sid, group_number)
);
CREATE INDEX messages_in_time ON messages (sid, at, group_number, number);
"""
