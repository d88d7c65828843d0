"""`park why`: why jobs failed, why a session waits, and all that is known of one job."""

from __future__ import annotations

import json
import os
from pathlib import Path

import answered
import pytest
from console import park
from world import World

from park_spool import naming, sealed
from park_spool.archive.rows import AttemptRow, FailureRow, FileRow, JobDetail, JobRow, RunningRow
from park_spool.cli import explaining
from park_spool.cli.options import FAILED, FINE
from park_spool.processes import identity

SID = "20261123-025532-k3j9"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def failure(job: str, why: str | None = "it ran longer than 60 s", status: str = "timeout") -> FailureRow:
    return FailureRow(job, status, why, None, None, "n4_1_aaaaaa", 0, 2, 60.0, 100.0, None)


def test_equal_reasons_stand_together_the_most_frequent_first() -> None:
    rows = [failure("1.1.9", None, "failed"), *(failure(f"1.1.{job}") for job in (3, 4, 5)), failure("2.1.1")]
    first, second = explaining.grouped(rows)
    assert first.to_json() == {
        "status": "timeout",
        "why": "it ran longer than 60 s",
        "count": 4,
        "jobs": "1.1.3-5, 2.1.1",
    }
    assert (second.status, second.why, second.count) == ("failed", "no reason is known", 1)


def ran(world: World) -> str:
    """Run a session of which two jobs fail for good; return its SID."""
    world.script = lambda joblist, job, attempt: "failed" if joblist == 1 and job in (2, 3) else "ok"
    world.submit()
    world.let(world.spoold(), world.node(), world.reducer(), turns=60)
    [sid] = os.listdir(world.layout.closed)
    return sid


def test_the_reasons_of_a_session(world: World) -> None:
    sid = ran(world)
    result = park("why", sid[:15], spool=world.root)
    assert result.exit_code == FINE
    assert result.stdout.splitlines()[:3] == [
        f"{sid}: failed; 6 of 6 jobs have their result",
        "2 jobs failed: 1.1.2-3",
        "  scripted",
    ]
    shown = json.loads(park("why", "--json", sid, spool=world.root).stdout)
    assert (shown["failed"][0]["jobs"], shown["waits"], shown["session"]["failed"]) == ("1.1.2-3", [], 2)


def test_a_job_with_its_attempts(world: World) -> None:
    sid = ran(world)
    lines = park("why", sid, "1.1.2", spool=world.root).stdout.splitlines()
    assert lines[0] == f"job 1.1.2 of {sid}: failed"
    assert [line.split(" on ")[0] for line in lines if line.startswith("attempt")] == [
        "attempt 1",
        "attempt 2",
        "attempt 3",
    ]
    assert lines.count("  scripted") == 3
    shown = json.loads(park("why", "--json", sid, "1.1.1", spool=world.root).stdout)
    assert (shown["row"]["status"], shown["attempts"]) == ("ok", [])
    assert park("why", sid, "1.1.99", spool=world.root).exit_code == FAILED


def test_all_that_is_known_of_a_job_is_told() -> None:
    attempt = AttemptRow("1.1.17", "failed", "a mistake", 3, None, "n4_1_aaaaaa", 0, 0, 0.0, 0.41, "one\ntwo\n")
    killed = AttemptRow("1.1.17", "failed", None, None, 11, "n5_1_aaaaaa", 1, 1, 60.0, 2.0, None)
    row = JobRow("1.1.17", "ok", 1, 2, "n6_1_aaaaaa", 90.0, 4.0, 94.0, 966.193, 408, 399, None, 17, 0, None)
    files = [FileRow("1.1.17", "fit.png", "ab" * 32, 12_000)]
    running = [RunningRow("1.1.17", "n7_1_aaaaaa", 100.0, 3.4, 1023.4, "…")]
    detail = JobDetail("1.1.17", row, "", 0, None, None, None, [attempt, killed], files, running)
    assert list(explaining.describe_job(detail, SID)) == [
        f"job 1.1.17 of {SID}: ok",
        "attempt 1 on n4_1_aaaaaa, 1970-01-01T00:00:00Z, 0.41 s: failed, exited with status 3",
        "  a mistake",
        "  its standard error ends with",
        "    one",
        "    two",
        "attempt 2 of round 1 on n5_1_aaaaaa, 1970-01-01T00:01:00Z, 2.00 s: failed, was killed by SIGSEGV",
        "attempt 3 of round 1 on n6_1_aaaaaa, 1970-01-01T00:01:30Z, 4.00 s: ok",
        "  chisq 966.193",
        "it runs now on n7_1_aaaaaa, for 3.40 s, best so far chisq 1023.4",
        f"files: fit.png (12 kB); `park fetch {SID} 1.1.17 -o DIR` copies them",
    ]


def test_a_job_that_nobody_ran_yet() -> None:
    detail = JobDetail("1.1.1", None, "", None, None, None, None, [], [], [])
    told = "\n".join(explaining.describe_job(detail, SID))
    assert "has no final result yet" in told and "was not run yet" in told


# what an open session waits for


def waits(world: World, sid: str) -> list[str]:
    found = json.loads(park("why", "--json", sid, spool=world.root).stdout)["waits"]
    assert isinstance(found, list)
    return found


def report(world: World, **fields: object) -> None:
    """Let a node and both daemons seem to live."""
    node = {"node": "n4_1_aaaaaa", "identity": identity().to_json(), "cpus": 2, "tags": ["n4"], **fields}
    (world.layout.nodes / naming.heartbeat_name("n4_1_aaaaaa", 1)).write_bytes(sealed.seal_json(node))
    for role in ("spoold", "reduced"):
        lock = naming.Lock(role, 1, "n4_1_aaaaaa", 1)
        (world.layout.locks / lock.name).write_bytes(sealed.seal_json(identity().to_json()))


def test_nobody_is_there(world: World) -> None:
    sid = world.admit()
    assert [sentence.split(":")[0] for sentence in waits(world, sid)] == [
        "no park-spoold tends this spool",
        "no park-reduced is alive",
        "no park-noded is alive",
    ]


def test_everybody_is_there(world: World) -> None:
    sid = world.admit()
    report(world)
    assert waits(world, sid) == []
    told = park("why", sid, spool=world.root)
    assert "cannot be seen from here, and nothing is known that it waits for" in told.stdout


def test_a_paused_session(world: World) -> None:
    sid = world.admit()
    report(world)
    park("pause", sid, spool=world.root)
    assert waits(world, sid) == ["it is paused; `park resume` lets it go on"]


GPU = """<session user='w'><group name='g'><task cmd='tester/noop' tags='gpu'/><joblist cnt='2'><input/></joblist></group>
</session>"""


def test_no_node_has_what_its_task_wants(world: World) -> None:
    sid = world.admit(xml=GPU)
    report(world)
    [sentence] = waits(world, sid)
    assert "gpu" in sentence
    report(world, tags=["n4", "gpu"])
    assert waits(world, sid) == []
    assert "gpu" not in park("status", sid, spool=world.root).stdout


def test_one_that_lies_in_the_inbox(world: World) -> None:
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).touch()
    report(world)
    assert waits(world, SID) == ["it lies in the inbox and is not admitted yet"]


def test_one_that_lies_in_the_inbox_until_its_files_are_known(world: World) -> None:
    href = "beamline:/run7/*.ort"
    xml = f"<session><group><joblist><input><data name='d' href='{href}'/></input></joblist></group></session>"
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text(xml)
    report(world)
    [sentence] = waits(world, SID)
    assert f"not admitted yet: it waits until it is known which files {href} stands for" in sentence
    (world.layout.inbox / naming.submitted_name(SID, "film.xml")).write_text(
        xml.replace("</input>", f"<data href='{href}2'/></input>")
    )
    assert "and others stand for" in waits(world, SID)[0]


def test_one_that_was_rejected_has_its_reason(world: World) -> None:
    reason = f"line 2: no such task\nIt would have been session {SID}.\n"
    (world.layout.rejected / "film.xml.why").write_text(reason)
    assert park("why", SID, spool=world.root).stdout == reason
    assert json.loads(park("why", "--json", SID, spool=world.root).stdout) == {"rejected": reason.strip()}
    assert park("why", "2026", spool=world.root).exit_code == FAILED


def test_without_an_archive_a_note_says_so(world: World) -> None:
    sid = world.admit()
    result = park("why", sid, spool=world.root)
    assert result.exit_code == FINE and "note: " in result.stderr and "archive" in result.stderr
    assert json.loads(park("why", sid, "--json", spool=world.root).stdout)["failed"] is None
    assert park("why", sid, "1.1.1", spool=world.root).exit_code == FAILED


def test_without_an_archive_the_outbox_has_the_reasons(world: World) -> None:
    sid = ran(world)
    answered.close(world)
    expected = park("why", sid, spool=world.root).stdout
    for path in world.config.archive.parent.iterdir():
        path.unlink()
    result = park("why", sid, spool=world.root)
    assert result.stdout == expected.replace("failed;", "closed;", 1)
    assert f"note: from {world.layout.outbox / sid}: there is no archive" in result.stderr
