"""The views of the archive: the first questions, answered. What a user asks in SQL, and readers here, start from them.

None fails on any output: what is not JSON has no curve and no point. Each finds the rows of one session by an index.
"""

_JOB = "printf('%d.%d.%d', j.group_number, j.joblist_number, j.job_number) AS job"
_FINISHED = "strftime('%Y-%m-%dT%H:%M:%SZ', j.finished, 'unixepoch') AS finished"
_NUMBERS = "j.chisq, j.chisq / nullif(j.dof, 0) AS reduced_chisq, j.npoints, j.dof, j.nllf, j.seed"
_PARAMETERS = """(
    SELECT json_group_object(p.name, p.{}) FROM (
      SELECT name, {} FROM parameters
      WHERE sid = j.sid AND group_number = j.group_number AND joblist_number = j.joblist_number
        AND job_number = j.job_number
      ORDER BY place) p)"""
# Not by GROUP BY: then a page of sessions would be worked out for all of them first.
_SUM = "(SELECT coalesce(sum({}), 0) FROM joblists l WHERE l.sid = s.sid) AS {}"
_SUMS = ",\n  ".join(
    _SUM.format(summed, name)
    for name, summed in {
        **{name: f"l.{name}" for name in ("jobs", "ok", "failed")},
        "waiting": "l.jobs - l.ok - l.failed",
        "duplicates": "l.duplicates",
    }.items()
)
# The reply may be the last line of a longer output: what stands before it is progress.  A subquery with a LIMIT is
# worked out once; without, SQLite would put its text wherever it is used.
_LAST_LINE = """(
      SELECT CASE WHEN json_valid(line) THEN line END FROM (
        SELECT substr(text, length(rtrim(text, replace(text, char(10), ''))) + 1) AS line FROM (
          SELECT trim(r.output, char(9, 10, 13, 32)) AS text LIMIT 1) LIMIT 1))"""
_CURVE = ("x", "y", "dy", "dx", "model")
_LABELS = ("kind", "data", "xlabel", "xunit", "ylabel", "yunit", "xscale", "yscale", "dxkind")
_SAID = "max(CASE WHEN c.key = '{0}' AND c.type = '{1}' THEN c.value END) AS {0}"
_ARRAYS = ",\n  ".join(_SAID.format(name, "array") for name in _CURVE)
_WORDS = ",\n  ".join(_SAID.format(name, "text") for name in _LABELS)
_POINTS = ", ".join(f"json_extract(c.{name}, '$[' || p.key || ']') AS {name}" for name in _CURVE[1:])

VIEWS = f"""
CREATE VIEW best AS  -- the best fit of each group
SELECT j.sid, j.group_number, g.name AS group_name, j.joblist_number, j.job_number, {_JOB},
  {_NUMBERS}, j.node, j.seconds,
  {_FINISHED}, r.output
FROM history h  -- few rows: the best fit is the last step of the staircase
CROSS JOIN jobs j USING (sid, group_number, joblist_number, job_number)
LEFT JOIN groups g USING (sid, group_number)
LEFT JOIN results r USING (sid, group_number, joblist_number, job_number)
WHERE NOT EXISTS (
  SELECT 1 FROM history later WHERE later.sid = h.sid AND later.group_number = h.group_number
  AND (later.finished, later.joblist_number, later.job_number) > (h.finished, h.joblist_number, h.job_number));

CREATE VIEW progress AS  -- how far each session is
SELECT s.sid, s.user, s.file, s.state, s.priority, s.received, s.closed,
  {_SUMS},
  (SELECT min(l.first_started) FROM joblists l WHERE l.sid = s.sid) AS first_started,
  (SELECT max(l.last_finished) FROM joblists l WHERE l.sid = s.sid) AS last_finished,
  (SELECT min(b.chisq) FROM best b WHERE b.sid = s.sid) AS best_chisq,
  (SELECT b.job FROM best b WHERE b.sid = s.sid ORDER BY b.chisq, b.group_number LIMIT 1) AS best_job
FROM sessions s;

CREATE VIEW failures AS  -- the jobs that failed for good
SELECT j.sid, j.group_number, {_JOB},
  j.status, r.why, r.exit, r.signal, j.node, j.round, j.attempt, j.seconds,
  {_FINISHED}, r.stderr
FROM jobs j INDEXED BY jobs_not_ok  -- or the planner walks over all jobs of the session
LEFT JOIN results r USING (sid, group_number, joblist_number, job_number)
WHERE j.status <> 'ok';

CREATE VIEW batch AS  -- the best fit of each data set of a group
SELECT j.sid, j.group_number, g.name AS group_name, j.dataset, j.joblist_number, j.job_number, {_JOB},
  {_NUMBERS},
  {_PARAMETERS.format("value", "value")} AS parameters,
  {_PARAMETERS.format("error", "error")} AS errors,
  j.node, j.seconds, {_FINISHED}
FROM jobs j INDEXED BY jobs_by_dataset
LEFT JOIN groups g USING (sid, group_number)
WHERE j.dataset IS NOT NULL AND j.chisq IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM jobs o INDEXED BY jobs_by_dataset
  WHERE o.sid = j.sid AND o.group_number = j.group_number AND o.dataset = j.dataset AND o.chisq <= j.chisq
  AND (o.chisq, o.finished, o.joblist_number, o.job_number) < (j.chisq, j.finished, j.joblist_number, j.job_number));

CREATE VIEW curves AS  -- the curve of each job that gave one: JSON arrays, and what they are
SELECT r.sid, r.group_number, r.joblist_number, r.job_number, {_JOB}, j.dataset, j.chisq,
  {_ARRAYS},
  {_WORDS}
FROM results r CROSS JOIN jobs j USING (sid, group_number, joblist_number, job_number)
CROSS JOIN json_each(CASE
    WHEN json_valid(r.output) THEN r.output
    WHEN length(r.output) < 4000000 THEN {_LAST_LINE} END, '$.curve') c
WHERE j.status = 'ok' AND instr(r.output, 'curve')
GROUP BY r.sid, r.group_number, r.joblist_number, r.job_number
HAVING max(c.key = 'x' AND c.type = 'array');

CREATE VIEW points AS  -- each point of each curve
SELECT c.sid, c.group_number, c.joblist_number, c.job_number, c.job, c.dataset, p.key + 1 AS place, p.value AS x,
  {_POINTS}
FROM curves c CROSS JOIN json_each(c.x) p;
"""
