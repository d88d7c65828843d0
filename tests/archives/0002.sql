BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'park_spool','0001 tables and views','2026-11-25 23:45:42.001821+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'park_spool','0002 kept files, what runs, retries','2026-11-25 23:45:42.004184+00:00');
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
INSERT INTO "attempts" VALUES('20261123-025532-k3j9',1,1,4,0,0,'n1_1_aaaaaa','failed',1795402500.0,1.0,'exited with status 3: no such file',3,NULL,'…');
INSERT INTO "attempts" VALUES('20261123-025532-k3j9',1,1,4,0,1,'n2_2_bbbbbb','failed',1795402500.0,1.0,'exited with status 3: no such file',3,NULL,'…');
INSERT INTO "attempts" VALUES('20261123-025532-k3j9',1,1,4,0,2,'n1_1_aaaaaa','failed',1795402500.0,1.0,'exited with status 3: no such file',3,NULL,'…');
CREATE TABLE bundles (  -- the bundles in reduced/ that are in here
  sid TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;
INSERT INTO "bundles" VALUES('20261123-025532-k3j9','n1_1_aaaaaa.000000001');
INSERT INTO "bundles" VALUES('20261124-101010-aaaa','n1_1_aaaaaa.000000001');
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
  seconds REAL NOT NULL, why TEXT, exit INTEGER, signal INTEGER, stderr TEXT,
  PRIMARY KEY (sid, group_number, joblist_number, job_number, round, attempt, node)
) WITHOUT ROWID;
INSERT INTO "duplicates" VALUES('20261123-025532-k3j9',2,1,1,0,0,'n2_2_bbbbbb','ok',1795402500.0,1.0,NULL,NULL,NULL,NULL);
INSERT INTO "duplicates" VALUES('20261123-025532-k3j9',2,1,30,0,0,'n1_1_aaaaaa','ok',1795402515.0,1.0,NULL,NULL,NULL,NULL);
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
INSERT INTO "files" VALUES('20261123-025532-k3j9',2,1,34,'fit.dat','abababababababababababababababababababababababababababababababab',9);
CREATE TABLE final_ranges (  -- the jobs that are in `jobs`, as ranges start <= job < stop
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  joblist_number INTEGER NOT NULL,
  start INTEGER NOT NULL,
  stop INTEGER NOT NULL,
  PRIMARY KEY (sid, group_number, joblist_number, start)
) WITHOUT ROWID;
INSERT INTO "final_ranges" VALUES('20261123-025532-k3j9',1,1,1,4);
INSERT INTO "final_ranges" VALUES('20261123-025532-k3j9',1,2,1,4);
INSERT INTO "final_ranges" VALUES('20261123-025532-k3j9',2,1,1,35);
INSERT INTO "final_ranges" VALUES('20261124-101010-aaaa',1,1,1,3);
CREATE TABLE groups (
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,  -- this and every number of a group, job list or job: from 1
  name TEXT NOT NULL,
  task TEXT NOT NULL,
  reducer TEXT,
  stopped TEXT,  -- why the reducer was stopped, if it was
  PRIMARY KEY (sid, group_number)
) WITHOUT ROWID;
INSERT INTO "groups" VALUES('20261123-025532-k3j9',1,'frames','reflectivity/fit','Chisq',NULL);
INSERT INTO "groups" VALUES('20261123-025532-k3j9',2,'film','reflectivity/fit','Chisq','TypeError: chisq is None (film.py, line 3)');
INSERT INTO "groups" VALUES('20261124-101010-aaaa',1,'map','reflectivity/fit',NULL,NULL);
CREATE TABLE history (  -- the jobs with a lower chisq than every one that finished earlier in the group
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  finished REAL NOT NULL,
  joblist_number INTEGER NOT NULL,
  job_number INTEGER NOT NULL,
  chisq REAL NOT NULL,
  PRIMARY KEY (sid, group_number, finished, joblist_number, job_number)
) WITHOUT ROWID;
INSERT INTO "history" VALUES('20261123-025532-k3j9',1,1795402501.0,1,1,9.0);
INSERT INTO "history" VALUES('20261123-025532-k3j9',1,1795402501.0,2,1,3.0);
INSERT INTO "history" VALUES('20261123-025532-k3j9',2,1795402501.0,1,32,5.0);
INSERT INTO "history" VALUES('20261123-025532-k3j9',2,1795402501.0,1,33,4.0);
INSERT INTO "history" VALUES('20261124-101010-aaaa',1,1795402501.0,1,1,2.0);
INSERT INTO "history" VALUES('20261124-101010-aaaa',1,1795402501.0,1,2,1.0);
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
INSERT INTO "joblists" VALUES('20261123-025532-k3j9',1,1,'starts',4,4,3,0,0,1795402500.0,1795402502.0);
INSERT INTO "joblists" VALUES('20261123-025532-k3j9',1,2,'starts',4,3,2,1,0,1795402500.0,1795402501.0);
INSERT INTO "joblists" VALUES('20261123-025532-k3j9',2,1,'starts',4,40,34,0,2,1795402500.0,1795402521.0);
INSERT INTO "joblists" VALUES('20261124-101010-aaaa',1,1,'starts',4,2,2,0,0,1795402500.0,1795402501.0);
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
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',1,1,1,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,9.0,3,1,4.5,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',1,1,2,'ok',0,0,'n1_1_aaaaaa',1795402501.0,1.0,1795402502.0,7.5,3,1,3.75,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',1,1,3,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,9.5,3,1,4.75,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',1,2,1,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,3.0,NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',1,2,2,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',1,2,3,'timeout',0,2,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,1,'ok',0,0,'n1_1_aaaaaa',1795402500.5,1.0,1795402501.5,1000.0,3,1,500.0,1,1);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,2,'ok',0,0,'n1_1_aaaaaa',1795402501.0,1.0,1795402502.0,500.0,3,1,250.0,2,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,3,'ok',0,0,'n1_1_aaaaaa',1795402501.5,1.0,1795402502.5,3.33333333333333314395e+02,3,1,1.66666666666666657197e+02,3,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,4,'ok',0,0,'n1_1_aaaaaa',1795402502.0,1.0,1795402503.0,250.0,3,1,125.0,4,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,5,'ok',0,0,'n1_1_aaaaaa',1795402502.5,1.0,1795402503.5,200.0,3,1,100.0,5,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,6,'ok',0,0,'n1_1_aaaaaa',1795402503.0,1.0,1795402504.0,1.66666666666666657197e+02,3,1,8.33333333333333285946e+01,6,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,7,'ok',0,0,'n1_1_aaaaaa',1795402503.5,1.0,1795402504.5,1.42857142857142861203e+02,3,1,7.14285714285714305998e+01,7,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,8,'ok',0,0,'n1_1_aaaaaa',1795402504.0,1.0,1795402505.0,125.0,3,1,62.5,8,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,9,'ok',0,0,'n1_1_aaaaaa',1795402504.5,1.0,1795402505.5,1.11111111111111114267e+02,3,1,5.55555555555555571336e+01,9,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,10,'ok',0,0,'n1_1_aaaaaa',1795402505.0,1.0,1795402506.0,100.0,3,1,50.0,10,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,11,'ok',0,0,'n1_1_aaaaaa',1795402505.5,1.0,1795402506.5,90.9090909090909,3,1,4.54545454545454532526e+01,11,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,12,'ok',0,0,'n1_1_aaaaaa',1795402506.0,1.0,1795402507.0,8.33333333333333285946e+01,3,1,4.16666666666666642973e+01,12,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,13,'ok',0,0,'n1_1_aaaaaa',1795402506.5,1.0,1795402507.5,7.69230769230769197966e+01,3,1,3.84615384615384598987e+01,13,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,14,'ok',0,0,'n1_1_aaaaaa',1795402507.0,1.0,1795402508.0,7.14285714285714305998e+01,3,1,3.57142857142857152999e+01,14,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,15,'ok',0,0,'n1_1_aaaaaa',1795402507.5,1.0,1795402508.5,6.66666666666666714053e+01,3,1,3.33333333333333357026e+01,15,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,16,'ok',0,0,'n1_1_aaaaaa',1795402508.0,1.0,1795402509.0,62.5,3,1,31.25,16,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,17,'ok',0,0,'n1_1_aaaaaa',1795402508.5,1.0,1795402509.5,58.8235294117647,3,1,2.94117647058823514791e+01,17,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,18,'ok',0,0,'n1_1_aaaaaa',1795402509.0,1.0,1795402510.0,5.55555555555555571336e+01,3,1,2.77777777777777785668e+01,18,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,19,'ok',0,0,'n1_1_aaaaaa',1795402509.5,1.0,1795402510.5,5.26315789473684176886e+01,3,1,2.63157894736842088443e+01,19,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,20,'ok',0,0,'n1_1_aaaaaa',1795402510.0,1.0,1795402511.0,50.0,3,1,25.0,20,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,21,'ok',0,0,'n1_1_aaaaaa',1795402510.5,1.0,1795402511.5,4.76190476190476204027e+01,3,1,2.38095238095238102013e+01,21,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,22,'ok',0,0,'n1_1_aaaaaa',1795402511.0,1.0,1795402512.0,4.54545454545454532526e+01,3,1,2.27272727272727266263e+01,22,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,23,'ok',0,0,'n1_1_aaaaaa',1795402511.5,1.0,1795402512.5,4.34782608695652186261e+01,3,1,2.1739130434782609313e+01,23,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,24,'ok',0,0,'n1_1_aaaaaa',1795402512.0,1.0,1795402513.0,4.16666666666666642973e+01,3,1,2.08333333333333321486e+01,24,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,25,'ok',0,0,'n1_1_aaaaaa',1795402512.5,1.0,1795402513.5,40.0,3,1,20.0,25,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,26,'ok',0,0,'n1_1_aaaaaa',1795402513.0,1.0,1795402514.0,3.84615384615384598987e+01,3,1,1.92307692307692299493e+01,26,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,27,'ok',0,0,'n1_1_aaaaaa',1795402513.5,1.0,1795402514.5,3.70370370370370380905e+01,3,1,1.85185185185185190448e+01,27,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,28,'ok',0,0,'n1_1_aaaaaa',1795402514.0,1.0,1795402515.0,3.57142857142857152999e+01,3,1,1.78571428571428576499e+01,28,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,29,'ok',0,0,'n1_1_aaaaaa',1795402514.5,1.0,1795402515.5,3.44827586206896583584e+01,3,1,1.72413793103448291792e+01,29,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,30,'ok',1,0,'n2_2_bbbbbb',1795402520.0,1.0,1795402521.0,50.0,3,1,25.0,NULL,1);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,31,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,32,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,5.0,NULL,1,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,33,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,4.0,NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261123-025532-k3j9',2,1,34,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,61.5,3,1,30.75,NULL,0);
INSERT INTO "jobs" VALUES('20261124-101010-aaaa',1,1,1,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,2.0,NULL,NULL,NULL,NULL,0);
INSERT INTO "jobs" VALUES('20261124-101010-aaaa',1,1,2,'ok',0,0,'n1_1_aaaaaa',1795402500.0,1.0,1795402501.0,1.0,NULL,NULL,NULL,NULL,0);
CREATE TABLE messages (  -- what a reducer said, in order
  id INTEGER PRIMARY KEY,
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  at REAL NOT NULL,
  text TEXT NOT NULL
);
INSERT INTO "messages" VALUES(1,'20261123-025532-k3j9',1,1795402500.0,'message 0');
INSERT INTO "messages" VALUES(2,'20261123-025532-k3j9',2,1795402501.0,'message 1');
INSERT INTO "messages" VALUES(3,'20261124-101010-aaaa',1,1795402502.0,'message 2');
INSERT INTO "messages" VALUES(4,'20261123-025532-k3j9',1,1795402503.0,'message 3');
INSERT INTO "messages" VALUES(5,'20261123-025532-k3j9',2,1795402504.0,'message 4');
INSERT INTO "messages" VALUES(6,'20261123-025532-k3j9',2,1795402505.0,'message 5');
CREATE TABLE meta (  -- 'identity': made with the file, so that a new file is known as a new archive
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "meta" VALUES('identity','6318b9c20a9183c4f8ffe0e2bbd10c8d');
CREATE TABLE nodes (  -- the newest heartbeat of each node
  node TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  cpus INTEGER NOT NULL,
  state TEXT NOT NULL,
  seen REAL NOT NULL,
  units INTEGER NOT NULL,  -- in its hands
  heartbeat TEXT NOT NULL  -- JSON
);
INSERT INTO "nodes" VALUES('n1_1_aaaaaa','n1',2,'alive',1795402500.0,1,'{"node": "n1_1_aaaaaa", "host": "n1", "cpus": 2, "units": ["u"], "seen": 1795402500.0}');
INSERT INTO "nodes" VALUES('n2_2_bbbbbb','n2',2,'alive',1795402500.0,1,'{"node": "n2_2_bbbbbb", "host": "n2", "cpus": 2, "units": ["u"], "seen": 1795402500.0}');
CREATE TABLE replies (  -- the reply files that are in here, and the bundle in reduced/ that keeps each
  name TEXT PRIMARY KEY,
  sid TEXT NOT NULL,
  bundle TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO "replies" VALUES('20261123-025532-k3j9.001.001.000000001-000000002.00.00@n1_1_aaaaaa','20261123-025532-k3j9','n1_1_aaaaaa.000000001');
INSERT INTO "replies" VALUES('20261124-101010-aaaa.001.001.000000001-000000002.00.00@n1_1_aaaaaa','20261124-101010-aaaa','n1_1_aaaaaa.000000001');
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
INSERT INTO "results" VALUES('20261123-025532-k3j9',1,1,1,'{"chisq": 9.0, "npoints": 3, "dof": 1, "nllf": 4.5, "parameters": [{"name": "film thickness", "value": 258.860009, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "curve": {"x": [0.01, 0.02, 0.03], "y": [1.0, 0.5, 0.25], "dy": [0.1, 0.1, 0.1], "model": [1.1, 0.4, 0.2], "xlabel": "Q", "xunit": "1/\u00c5", "ylabel": "R", "yscale": "log", "data": "film"}}',NULL,NULL,NULL,NULL,'{"frame": "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',1,1,2,'{"chisq": 8.5}
{"chisq": 7.5, "npoints": 3, "dof": 1, "nllf": 3.75, "parameters": [{"name": "film thickness", "value": 258.8600075, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "curve": {"x": [0.01, 0.02, 0.03], "y": [1.0, 0.5, 0.25], "dy": [0.1, 0.1, 0.1], "model": [1.1, 0.4, 0.2]}}
',NULL,NULL,NULL,NULL,'{"frame": "a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',1,1,3,'{"chisq": 9.5, "npoints": 3, "dof": 1, "nllf": 4.75, "parameters": [{"name": "film thickness", "value": 258.8600095, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}, 17, null, {"name": 3, "value": true, "unit": 5}]}',NULL,NULL,NULL,NULL,'{"frame": "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',1,2,1,'{"dataset": "said", "chisq": 3}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "results" VALUES('20261123-025532-k3j9',1,2,2,'plain words, no JSON: parameters',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "results" VALUES('20261123-025532-k3j9',1,2,3,'','took longer than 60 s',NULL,NULL,9,NULL);
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,1,'{"chisq": 1000.0, "npoints": 3, "dof": 1, "nllf": 500.0, "parameters": [{"name": "film thickness", "value": 258.861, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 1}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,2,'{"chisq": 500.0, "npoints": 3, "dof": 1, "nllf": 250.0, "parameters": [{"name": "film thickness", "value": 258.8605, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 2}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,3,'{"chisq": 333.3333333333333, "npoints": 3, "dof": 1, "nllf": 166.66666666666666, "parameters": [{"name": "film thickness", "value": 258.86033333333336, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 3}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,4,'{"chisq": 250.0, "npoints": 3, "dof": 1, "nllf": 125.0, "parameters": [{"name": "film thickness", "value": 258.86025, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 4}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,5,'{"chisq": 200.0, "npoints": 3, "dof": 1, "nllf": 100.0, "parameters": [{"name": "film thickness", "value": 258.8602, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 5}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,6,'{"chisq": 166.66666666666666, "npoints": 3, "dof": 1, "nllf": 83.33333333333333, "parameters": [{"name": "film thickness", "value": 258.86016666666666, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 6}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,7,'{"chisq": 142.85714285714286, "npoints": 3, "dof": 1, "nllf": 71.42857142857143, "parameters": [{"name": "film thickness", "value": 258.8601428571429, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 7}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,8,'{"chisq": 125.0, "npoints": 3, "dof": 1, "nllf": 62.5, "parameters": [{"name": "film thickness", "value": 258.86012500000004, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 8}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,9,'{"chisq": 111.11111111111111, "npoints": 3, "dof": 1, "nllf": 55.55555555555556, "parameters": [{"name": "film thickness", "value": 258.8601111111111, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 9}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,10,'{"chisq": 100.0, "npoints": 3, "dof": 1, "nllf": 50.0, "parameters": [{"name": "film thickness", "value": 258.8601, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 10}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,11,'{"chisq": 90.9090909090909, "npoints": 3, "dof": 1, "nllf": 45.45454545454545, "parameters": [{"name": "film thickness", "value": 258.8600909090909, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 11}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,12,'{"chisq": 83.33333333333333, "npoints": 3, "dof": 1, "nllf": 41.666666666666664, "parameters": [{"name": "film thickness", "value": 258.86008333333336, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 12}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,13,'{"chisq": 76.92307692307692, "npoints": 3, "dof": 1, "nllf": 38.46153846153846, "parameters": [{"name": "film thickness", "value": 258.8600769230769, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 13}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,14,'{"chisq": 71.42857142857143, "npoints": 3, "dof": 1, "nllf": 35.714285714285715, "parameters": [{"name": "film thickness", "value": 258.8600714285714, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 14}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,15,'{"chisq": 66.66666666666667, "npoints": 3, "dof": 1, "nllf": 33.333333333333336, "parameters": [{"name": "film thickness", "value": 258.8600666666667, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 15}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,16,'{"chisq": 62.5, "npoints": 3, "dof": 1, "nllf": 31.25, "parameters": [{"name": "film thickness", "value": 258.8600625, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 16}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,17,'{"chisq": 58.8235294117647, "npoints": 3, "dof": 1, "nllf": 29.41176470588235, "parameters": [{"name": "film thickness", "value": 258.8600588235294, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 17}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,18,'{"chisq": 55.55555555555556, "npoints": 3, "dof": 1, "nllf": 27.77777777777778, "parameters": [{"name": "film thickness", "value": 258.86005555555556, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 18}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,19,'{"chisq": 52.63157894736842, "npoints": 3, "dof": 1, "nllf": 26.31578947368421, "parameters": [{"name": "film thickness", "value": 258.860052631579, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 19}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,20,'{"chisq": 50.0, "npoints": 3, "dof": 1, "nllf": 25.0, "parameters": [{"name": "film thickness", "value": 258.86005, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 20}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,21,'{"chisq": 47.61904761904762, "npoints": 3, "dof": 1, "nllf": 23.80952380952381, "parameters": [{"name": "film thickness", "value": 258.86004761904763, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 21}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,22,'{"chisq": 45.45454545454545, "npoints": 3, "dof": 1, "nllf": 22.727272727272727, "parameters": [{"name": "film thickness", "value": 258.86004545454546, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 22}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,23,'{"chisq": 43.47826086956522, "npoints": 3, "dof": 1, "nllf": 21.73913043478261, "parameters": [{"name": "film thickness", "value": 258.8600434782609, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 23}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,24,'{"chisq": 41.666666666666664, "npoints": 3, "dof": 1, "nllf": 20.833333333333332, "parameters": [{"name": "film thickness", "value": 258.8600416666667, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 24}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,25,'{"chisq": 40.0, "npoints": 3, "dof": 1, "nllf": 20.0, "parameters": [{"name": "film thickness", "value": 258.86004, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 25}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,26,'{"chisq": 38.46153846153846, "npoints": 3, "dof": 1, "nllf": 19.23076923076923, "parameters": [{"name": "film thickness", "value": 258.86003846153847, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 26}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,27,'{"chisq": 37.03703703703704, "npoints": 3, "dof": 1, "nllf": 18.51851851851852, "parameters": [{"name": "film thickness", "value": 258.86003703703705, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 27}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,28,'{"chisq": 35.714285714285715, "npoints": 3, "dof": 1, "nllf": 17.857142857142858, "parameters": [{"name": "film thickness", "value": 258.86003571428574, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 28}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,29,'{"chisq": 34.48275862068966, "npoints": 3, "dof": 1, "nllf": 17.24137931034483, "parameters": [{"name": "film thickness", "value": 258.86003448275864, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}], "seed": 29}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,31,'{"chisq": NaN, "parameters": [{"name": "a", "value": 1}]}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,32,'<reply chisq="5" parameters="none" dof="1"/>',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,33,'{"chisq": 4, "parameters": {"name": "a"}}',NULL,'a word',NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,30,'{"chisq": 50.0, "npoints": 3, "dof": 1, "nllf": 25.0, "parameters": [{"name": "film thickness", "value": 258.86005, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}]}',NULL,NULL,NULL,NULL,'{"film": "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0"}');
INSERT INTO "results" VALUES('20261124-101010-aaaa',1,1,1,'{"chisq": 2}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "results" VALUES('20261124-101010-aaaa',1,1,2,'{"chisq": 1}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "results" VALUES('20261123-025532-k3j9',2,1,34,'{"chisq": 61.5, "npoints": 3, "dof": 1, "nllf": 30.75, "parameters": [{"name": "film thickness", "value": 258.86006150000003, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}]}',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE retries (  -- the retry files of sessions that are in here
  sid TEXT NOT NULL,
  name TEXT NOT NULL,
  round INTEGER NOT NULL,
  PRIMARY KEY (sid, name)
) WITHOUT ROWID;
INSERT INTO "retries" VALUES('20261123-025532-k3j9','retry.01.x0p2qa',1);
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
INSERT INTO "running" VALUES('20261123-025532-k3j9',1,1,4,'n1_1_aaaaaa',1795402500.0,3.0,12.5,'<reply chisq=''12.5''/>');
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
INSERT INTO "sessions" VALUES('20261123-025532-k3j9','wei','wwchen@example.org','film.xml',0,'running',1795402500.0,NULL,'{"owner": "wei", "file": "film.xml", "format": 1, "user": "wwchen", "email": "wwchen@example.org", "priority": 0, "attributes": {}, "groups": [{"name": "frames", "task": {"cmd": "reflectivity/fit", "service": "reflectivity", "command": "fit", "cwd": null, "bufsize": null, "attributes": {}, "parameters": [], "mode": "function", "nodes": [], "tags": [], "limits": {}}, "data": [], "reduce": "Chisq", "joblists": [{"name": "starts", "priority": 4, "size": 4, "inputs": [{"tag": "input", "attributes": {}, "children": [{"tag": "data", "attributes": {"name": "frame", "href": "frames/f1.dat"}}]}, {"tag": "input", "attributes": {}, "children": [{"tag": "data", "attributes": {"name": "frame", "href": "frames/f2.dat"}}]}], "scan": null}, {"name": "starts", "priority": 4, "size": 3, "inputs": [{"tag": "input", "attributes": {"x": "1"}}], "scan": null}]}, {"name": "film", "task": {"cmd": "reflectivity/fit", "service": "reflectivity", "command": "fit", "cwd": null, "bufsize": null, "attributes": {}, "parameters": [], "mode": "function", "nodes": [], "tags": [], "limits": {}}, "data": [{"name": "film", "href": "film.txt", "sha256": null, "mode": null, "line": 4}], "reduce": "Chisq", "joblists": [{"name": "starts", "priority": 4, "size": 40, "inputs": [{"tag": "input", "attributes": {"x": "1"}}], "scan": null}]}], "warnings": []}','<session/>');
INSERT INTO "sessions" VALUES('20261124-101010-aaaa','wei','wwchen@example.org','film.xml',0,'done',1795402560.0,1795402570.0,'{"owner": "wei", "file": "film.xml", "format": 1, "user": "wwchen", "email": "wwchen@example.org", "priority": 0, "attributes": {}, "groups": [{"name": "map", "task": {"cmd": "reflectivity/fit", "service": "reflectivity", "command": "fit", "cwd": null, "bufsize": null, "attributes": {}, "parameters": [], "mode": "function", "nodes": [], "tags": [], "limits": {}}, "data": [], "reduce": null, "joblists": [{"name": "starts", "priority": 4, "size": 2, "inputs": [], "scan": {"axes": [{"name": "dataset", "values": ["left", "right"]}], "template": {"tag": "input", "attributes": {}}}}]}], "warnings": []}','<session/>');
INSERT INTO "sessions" VALUES('20261122-090000-zzzz','wei','','old.xml',0,'deleted',1.0,1795402500.0,'','');
CREATE TABLE texts (  -- what a reducer put, under its keys
  sid TEXT NOT NULL,
  group_number INTEGER NOT NULL,
  keys TEXT NOT NULL,  -- JSON, sorted
  text TEXT NOT NULL,
  PRIMARY KEY (sid, group_number, keys)
);
INSERT INTO "texts" VALUES('20261123-025532-k3j9',1,'{"gid":"20261123-025532-k3j9.1"}','{"chisq": 7.5, "npoints": 3, "dof": 1, "nllf": 3.75, "parameters": [{"name": "film thickness", "value": 258.8600075, "error": 0.1, "unit": "\u00c5", "min": 50, "max": 500, "start": 99.5}, {"name": "film sld", "value": 2.426, "error": null, "unit": "1e-6/\u00c5^2", "min": 0, "max": "far"}]}');
INSERT INTO "texts" VALUES('20261123-025532-k3j9',2,'{"best":1,"gid":"20261123-025532-k3j9.2"}','text');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX jobs_by_chisq ON jobs (sid, group_number, chisq, finished) WHERE chisq IS NOT NULL;
CREATE INDEX jobs_not_ok ON jobs (sid, group_number, joblist_number, job_number) WHERE status <> 'ok';
CREATE INDEX messages_by_session ON messages (sid, group_number);
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
COMMIT;
