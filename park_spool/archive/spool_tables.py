"""The tables of what stands around the jobs: files of the spool that are in here, nodes, where results came from."""

TABLES = """
CREATE TABLE meta (  -- 'identity': made with the file, so that a new file is known as a new archive
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE data_sets (  -- the data sets that jobs of a group read
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  name TEXT NOT NULL,  -- in the session
  sha256 TEXT NOT NULL,  -- of what was read
  href TEXT NOT NULL,  -- where the session says that it is
  PRIMARY KEY (sid, group_number, name, sha256),
  FOREIGN KEY (sid, group_number) REFERENCES groups (sid, group_number)
) WITHOUT ROWID;

CREATE TABLE provenance (  -- what ran the jobs of a group: each node, with the text of the service that it had
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  node TEXT NOT NULL,
  host TEXT NOT NULL,
  version TEXT NOT NULL,  -- of park-spool
  python TEXT NOT NULL,
  service TEXT NOT NULL,
  service_digest TEXT NOT NULL,  -- SHA-256 over the service's folder; empty where the node did not say it
  versions TEXT NOT NULL,  -- JSON: of the libraries on the node
  PRIMARY KEY (sid, group_number, node, service_digest),
  FOREIGN KEY (sid, group_number) REFERENCES groups (sid, group_number)
) WITHOUT ROWID;

CREATE TABLE events (  -- what happened to a session, from names on the spool
  sid TEXT NOT NULL REFERENCES sessions (sid),
  key TEXT NOT NULL,  -- the name, or 'admitted'
  at REAL,  -- by the clock of who did it, NULL if the file does not say
  what TEXT NOT NULL,  -- admitted, cancel, pause, resume, priority, delete, retry, reduce, start, told
  who TEXT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (sid, key)
) WITHOUT ROWID;

CREATE TABLE deliveries (  -- what stands in the outbox
  sid TEXT NOT NULL REFERENCES sessions (sid),
  edition INTEGER NOT NULL,  -- from 1
  name TEXT NOT NULL,  -- of the folder in outbox/
  PRIMARY KEY (sid, edition)
) WITHOUT ROWID;

CREATE TABLE retries (  -- the retry files of sessions that are in here
  sid TEXT NOT NULL REFERENCES sessions (sid),
  name TEXT NOT NULL,
  round INTEGER NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;

CREATE TABLE reductions (  -- the wishes that a reducer run again which are in here
  sid TEXT NOT NULL REFERENCES sessions (sid),
  name TEXT NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;

CREATE TABLE bundles (  -- the bundles in reduced/ that are in here
  sid TEXT NOT NULL REFERENCES sessions (sid),
  name TEXT NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;

CREATE TABLE replies (  -- the reply files that are in here, and the bundle in reduced/ that keeps each
  name TEXT PRIMARY KEY,
  sid TEXT NOT NULL,
  bundle TEXT NOT NULL,
  FOREIGN KEY (sid, bundle) REFERENCES bundles (sid, name)
) WITHOUT ROWID;

CREATE TABLE nodes (  -- the newest heartbeat of each node
  node TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  cpus INTEGER NOT NULL,
  state TEXT NOT NULL,
  seen REAL NOT NULL,
  units INTEGER NOT NULL,  -- in its hands
  heartbeat TEXT NOT NULL  -- JSON
);

CREATE TABLE node_events (  -- what the reducer saw of the nodes
  node TEXT NOT NULL REFERENCES nodes (node),
  at REAL NOT NULL,
  what TEXT NOT NULL,  -- appeared, gone, waiting, draining, bad, back
  detail TEXT NOT NULL,
  PRIMARY KEY (node, at, what)
) WITHOUT ROWID;

CREATE TABLE running (  -- the jobs that live nodes say they run, by their newest heartbeats
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  node TEXT NOT NULL REFERENCES nodes (node),
  started REAL NOT NULL,
  seconds REAL NOT NULL,  -- so far
  chisq REAL,  -- the best so far, if the job says so while it runs
  line TEXT,  -- what it said last
  PRIMARY KEY (sid, group_number, joblist_number, job_number, node),
  FOREIGN KEY (sid, group_number, joblist_number) REFERENCES joblists (sid, group_number, joblist_number)
) WITHOUT ROWID;
"""
