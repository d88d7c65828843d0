"""What must hold in an archive, each rule as the query that finds what breaks it and the sentence that says so.

The sentence's places are the query's columns. Everything that is kept in step with `jobs` is worked out again from it.
"""

from __future__ import annotations

Rule = tuple[str, str]  # sentence, query

_HEAD = "sid, group_number, joblist_number"
_NEIGHBOUR = (
    f"SELECT {_HEAD}, job_number, {{}}(job_number) OVER (PARTITION BY {_HEAD} ORDER BY job_number) AS next FROM jobs"
)
_STARTS = f"SELECT {_HEAD}, job_number FROM ({_NEIGHBOUR.format('lag')}) WHERE next IS NULL OR next < job_number - 1"
_STOPS = (
    f"SELECT {_HEAD}, job_number + 1 FROM ({_NEIGHBOUR.format('lead')}) WHERE next IS NULL OR next > job_number + 1"
)
_STEP = "sid, group_number, finished, joblist_number, job_number, chisq"
_STAIRCASE = f"""
  SELECT {_STEP} FROM (
    SELECT *, min(chisq) OVER (
      PARTITION BY sid, group_number ORDER BY finished, joblist_number, job_number
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lowest
    FROM jobs WHERE chisq IS NOT NULL)
  WHERE lowest IS NULL OR chisq < lowest"""
_SUMS = f"""
  SELECT l.sid, l.group_number, l.joblist_number, l.ok, l.failed, l.duplicates, ifnull(j.ok, 0) AS jobs_ok,
    ifnull(j.failed, 0) AS jobs_failed, ifnull(j.duplicates, 0) AS jobs_duplicates
  FROM joblists l LEFT JOIN (
    SELECT {_HEAD}, count(*) FILTER (WHERE status = 'ok') AS ok, count(*) FILTER (WHERE status <> 'ok') AS failed,
      sum(duplicates) AS duplicates
    FROM jobs GROUP BY {_HEAD}) j USING ({_HEAD})
  WHERE (l.ok, l.failed, l.duplicates) <> (jobs_ok, jobs_failed, jobs_duplicates)"""
_SPANS = f"""
  SELECT l.sid, l.group_number, l.joblist_number FROM joblists l JOIN (
    SELECT {_HEAD}, min(started) AS first, max(finished) AS last FROM jobs GROUP BY {_HEAD}) j USING ({_HEAD})
  WHERE l.first_started IS NULL OR l.first_started > j.first OR l.last_finished < j.last"""
_BEYOND = """
  SELECT DISTINCT l.sid, l.group_number, l.joblist_number, l.jobs
  FROM joblists l JOIN final_ranges r USING (sid, group_number, joblist_number)
  WHERE r.stop > l.jobs + 1 OR r.start < 1 OR r.start >= r.stop"""
_DUPLICATES = f"""
  SELECT {_HEAD}, job_number, j.duplicates, count(d.node) FROM jobs j LEFT JOIN duplicates d USING ({_HEAD}, job_number)
  WHERE j.duplicates > 0 OR d.node IS NOT NULL
  GROUP BY {_HEAD}, job_number HAVING j.duplicates <> count(d.node)"""
_BEATEN = f"""
  SELECT {_HEAD}, job_number, 'duplicates' FROM duplicates d JOIN jobs j USING ({_HEAD}, job_number)
  WHERE (d.round, d.attempt, d.node) = (j.round, j.attempt, j.node)"""
_TRIED = f"""
  SELECT {_HEAD}, job_number, 'attempts' FROM attempts a JOIN jobs j USING ({_HEAD}, job_number)
  WHERE (a.round, a.attempt, a.node) = (j.round, j.attempt, j.node) AND j.status = 'ok'"""
_NUMBERS = """
  SELECT sid, group_number, count(*), min(number), max(number) FROM messages GROUP BY sid, group_number
  HAVING min(number) <> 1 OR max(number) <> count(*)"""
_CLOSED = """
  SELECT sid, state FROM sessions
  WHERE (closed IS NULL) <> (state NOT IN ('done', 'failed', 'cancelled', 'deleted'))"""
_ENDED = """
  SELECT s.sid, s.state, sum(l.jobs), sum(l.ok), sum(l.failed) FROM sessions s JOIN joblists l USING (sid)
  WHERE s.state IN ('done', 'failed') GROUP BY s.sid
  HAVING sum(l.ok + l.failed) <> sum(l.jobs) OR (s.state = 'done') <> (sum(l.failed) = 0)"""
_BURIED = "SELECT sid FROM sessions s WHERE state = 'deleted' AND EXISTS (SELECT 1 FROM groups g WHERE g.sid = s.sid)"


def _equal(too_much: str, too_little: str, kept: str, worked_out: str) -> tuple[Rule, Rule]:
    """Make the two rules that hold what is kept against what it should be."""
    return (too_much, f"{kept} EXCEPT {worked_out}"), (too_little, f"{worked_out} EXCEPT {kept}")


RULES: tuple[Rule, ...] = (
    ("session {}, job list {}.{}: says {} ok, {} failed, {} duplicates; its jobs are {}, {} and {}", _SUMS),
    ("session {}, job list {}.{}: its jobs were run outside of the time that it says", _SPANS),
    ("session {}, job list {}.{}: a range of final jobs is not among its {}", _BEYOND),
    *_equal(
        "session {}, job list {}.{}: a range of final jobs begins at {}, its jobs do not",
        "session {}, job list {}.{}: its jobs begin at {}, no range of final jobs does",
        *(f"SELECT {_HEAD}, start FROM final_ranges", _STARTS),
    ),
    *_equal(
        "session {}, job list {}.{}: a range of final jobs ends before {}, its jobs do not",
        "session {}, job list {}.{}: its jobs end before {}, no range of final jobs does",
        *(f"SELECT {_HEAD}, stop FROM final_ranges", _STOPS),
    ),
    *_equal(
        "session {}, group {}: the step at {} of job {}.{} to chisq {} is in history, and is no improvement",
        "session {}, group {}: at {} job {}.{} improved chisq to {}, and history has no such step",
        *(f"SELECT {_STEP} FROM history", _STAIRCASE),
    ),
    ("session {}, job {}.{}.{}: says {} duplicates, there are {}", _DUPLICATES),
    ("session {}, job {}.{}.{}: the run that counts stands in {}, too", _BEATEN),
    ("session {}, job {}.{}.{}: the run that counts stands in {}, too", _TRIED),
    ("session {}, group {}: its {} messages are numbered {} to {}", _NUMBERS),
    ("session {}: is {}, and its time of closing does not say so", _CLOSED),
    ("session {}: is {}, and of its {} jobs {} are ok, {} failed", _ENDED),
    ("session {}: was deleted, and has rows that should be gone", _BURIED),
)
