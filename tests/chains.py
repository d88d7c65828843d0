"""Chained work for tests: sessions whose groups and steps start from one another, and jobs that say what they started from.

A job's reply has the parameter `n`, one more than it started with, and `path`, the sum of what it and all before it had
to add: where it started shows in its own reply, so a wrong order, or a wrong start, is seen in the end.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from world import World

from park_spool import starts
from park_spool.naming import Start, parse_start, parse_unit
from park_spool.running.assignment import Assignment
from park_spool.starts import Given

GROUP = "<group {attributes}><task cmd='tester/noop'/>{joblists}</group>"
JOBLIST = "<joblist {attributes}><input/></joblist>"


def joblist(count: int, attributes: str = "") -> str:
    return JOBLIST.format(attributes=f"cnt='{count}' {attributes}")


def steps(count: int) -> str:
    return joblist(count, "order='sequential'")


def group(*joblists: str, after: str = "") -> str:
    return GROUP.format(attributes=f"after='{after}'" if after else "", joblists="".join(joblists or (joblist(1),)))


def session(*groups: str, after: str = "") -> str:
    attributes = f" after='{after}'" if after else ""
    return f"<session user='wwchen'{attributes}>{''.join(groups)}</session>"


def reply(assignment: Assignment, job: int) -> dict[str, Any]:
    """Answer a job: chisq is lowest for the second job of a list, and falls from one generation to the next."""
    unit = parse_unit(assignment.unit)
    assert unit is not None
    generation = int(assignment.start.get("n", "0")) + 1
    path = f"{assignment.start.get('path', '')}{unit.group * 100 + unit.joblist * 10 + job}"
    chisq = (100.0 + abs(job - 2)) / generation
    parameters = [{"name": "n", "value": generation}, {"name": "path", "value": int(path)}]
    return {"chisq": chisq, "parameters": parameters}


def values(world: World, sid: str) -> dict[str, tuple[int, int]]:
    """Job → (generation, path), out of the outputs in the archive."""
    found = {}
    with sqlite3.connect(world.config.archive) as connection:
        rows = connection.execute(
            "SELECT group_number, joblist_number, job_number, output FROM results WHERE sid = ?", (sid,)
        ).fetchall()
    connection.close()
    for *job, output in rows:
        if output:
            n, path = (parameter["value"] for parameter in json.loads(output)["parameters"])
            found[".".join(map(str, job))] = (n, path)
    return found


def standing(world: World, sid: str) -> dict[Start, Given]:
    """The start values that stand in a session's folder, open or closed."""
    here = world.layout
    folder = here.session(sid) if here.session(sid).is_dir() else here.closed_session(sid)
    names = {
        start: folder / start.name for start in map(parse_start, sorted(p.name for p in folder.iterdir())) if start
    }
    return {start: starts.decode(path.read_bytes()) for start, path in names.items()}


def states(world: World) -> dict[str, str]:
    with sqlite3.connect(world.config.archive) as connection:
        found = dict(connection.execute("SELECT sid, state FROM sessions").fetchall())
    connection.close()
    return found


def events(world: World, sid: str) -> list[tuple[str, str]]:
    """(what, detail) of what happened to a session after its admission, in order."""
    with sqlite3.connect(world.config.archive) as connection:
        rows = "SELECT what, detail FROM events WHERE sid = ? AND what <> 'admitted' ORDER BY at, key"
        found = connection.execute(rows, (sid,)).fetchall()
    connection.close()
    return [(what, detail) for what, detail in found]
