"""`park look`: a question to nodes goes out as a session, and each answer is shown when it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from park_spool import naming, replies, sealed
from park_spool import submit as sending
from park_spool.catalog.registry import Registry
from park_spool.cli import look as module
from park_spool.cli.look import Question, look
from park_spool.cli.options import FAILED, FINE, USAGE
from park_spool.config import load, make_spool
from park_spool.errors import ServiceError
from park_spool.looking import reports
from park_spool.member import Member
from park_spool.naming import Unit
from park_spool.processes import identity
from park_spool.sessions.parsing import Limits, parse_session
from park_spool.submit import Parcel

REGISTRY = Registry.load([Path(__file__).parent.parent / "services"])
NODES = {"n4_4711_x0p2qa": ["n4", "fast"], "n5_4711_x0p2qa": ["n5", "fast"]}
Answers = dict[int, tuple[str, str]]  # {group: (status, output)}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    spool = tmp_path / "spool"
    make_spool(spool)
    for node, tags in NODES.items():
        host = node.partition("_")[0]
        report = {"node": node, "host": host, "cpus": 2, "tags": tags, "identity": identity().to_json()}
        (spool / "nodes" / naming.heartbeat_name(node, 1)).write_bytes(sealed.seal_json(report))
    return spool


class Nodes:
    """Answers at once what is sent, as nodes do later; `sent` is the session as it lies in the inbox."""

    def __init__(self, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spool = spool
        self.answers: Answers = {}
        self.is_bundled = False
        self.sent = b""
        self._send = sending.send
        monkeypatch.setattr(module.sending, "send", self.send)

    def send(self, member: Member, parcel: Parcel) -> str:
        sid = self._send(member, parcel)
        (path,) = (self.spool / "inbox").iterdir()
        self.sent = path.read_bytes()
        for group, (status, output) in self.answers.items():
            unit = Unit(sid, group, 1, 1, 2)
            fields = f'"started": 5.0, "seconds": 0.1, "output": "{output}", "why": "exited with status 3"'
            line = f'{{"job": 1, "status": "{status}", {fields}}}\n'.encode()
            name = naming.reply_name(unit, "n4_4711_x0p2qa")
            self._publish(sid, name, replies.encode(unit, "n4_4711_x0p2qa", {}, [line]))
        return sid

    def _publish(self, sid: str, name: str, reply: bytes) -> None:
        if not self.is_bundled:
            (self.spool / "replies" / name).write_bytes(reply)
            return
        (self.spool / "reduced" / sid).mkdir()
        bundle = self.spool / "reduced" / sid / naming.bundle_name("n4_4711_x0p2qa", 1)
        bundle.write_bytes(sealed.bind([(name, reply)]))


@pytest.fixture
def nodes(spool: Path, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    return Nodes(spool, monkeypatch)


def park_look(spool: Path, *words: str, **more: Any) -> Result:
    return CliRunner().invoke(look, [*words, "--spool", str(spool)], catch_exceptions=False, **more)


@pytest.mark.parametrize("is_bundled", [False, True])
def test_the_answer_of_a_node_is_printed(spool: Path, nodes: Nodes, is_bundled: bool) -> None:
    nodes.answers, nodes.is_bundled = {1: ("ok", "load 0.5")}, is_bundled
    result = park_look(spool, "n4")
    assert (result.exit_code, result.stdout) == (FINE, "load 0.5\n")
    (group,) = parse_session(nodes.sent, REGISTRY, Limits()).groups
    assert (group.task.nodes, group.task.service, group.task.command, group.task.mode) == (
        ("n4",),
        "node",
        "top",
        "command",
    )


def test_every_node_is_asked_and_told_apart(spool: Path, nodes: Nodes) -> None:
    nodes.answers = {1: ("ok", "first"), 2: ("ok", "second")}
    result = park_look(spool, "--all", "uptime")
    assert (result.exit_code, result.stdout) == (FINE, "== n4\nfirst\n== n5\nsecond\n")


def test_a_command_that_fails_says_why_and_is_called_off(spool: Path, nodes: Nodes) -> None:
    nodes.answers = {1: ("failed", "half")}
    result = park_look(spool, "n5", "df")
    assert (result.exit_code, result.stdout) == (FAILED, "half\n")
    assert "n5: failed: exited with status 3" in result.stderr
    assert list((spool / "inbox").iterdir()) == []


def test_a_node_that_does_not_answer_in_time_is_told(spool: Path, nodes: Nodes) -> None:
    nodes.answers = {2: ("ok", "second")}
    result = park_look(spool, "--all", "--timeout", "0.1")
    assert (result.exit_code, result.stdout) == (FAILED, "== n5\nsecond\n")
    assert "n4: no answer within 0.1 s; `park nodes`" in result.stderr


def test_inputs_are_passed_on(spool: Path, nodes: Nodes) -> None:
    nodes.answers = {1: ("ok", "x")}
    assert park_look(spool, "n4", "top", "count=3").exit_code == FINE
    (group,) = parse_session(nodes.sent, REGISTRY, Limits()).groups
    assert group.joblists[0].input(1).attributes == {"count": "3"}


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["n9"], FAILED, "no node is called 'n9'"),
        (["fast"], FAILED, "means several nodes"),
        ([], USAGE, "--all"),
        (["n4", "rm"], FAILED, "no command 'rm'"),
        (["n4", "tester/noop"], FAILED, "no short command"),
        (["n4", "top", "count"], USAGE, "NAME=VALUE"),
        (["n4", "top", "count=many"], 3, "'count' must be a whole number"),
        (["n4", "ls", "service=--help"], 3, "must not begin with '-'"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    spool: Path, nodes: Nodes, words: list[str], code: int, reason: str
) -> None:
    result = park_look(spool, *words)
    assert result.exit_code == code and reason in result.stderr
    assert nodes.sent == b""


def test_without_nodes_it_says_so(tmp_path: Path) -> None:
    make_spool(tmp_path)
    result = park_look(tmp_path, "n4")
    assert result.exit_code == FAILED and "no park-noded is alive" in result.stderr
    assert load(tmp_path).layout.inbox.is_dir()


def test_a_command_of_another_service_can_be_named() -> None:
    assert Question.read(["node/df"], REGISTRY) == Question("node", "df", {})
    assert Question.read(["count=3"], REGISTRY) == Question("node", "top", {"count": "3"})
    with pytest.raises(ServiceError, match="no short command"):
        Question.read(["tester/noop"], REGISTRY)


def test_a_node_is_reached_by_the_tag_that_it_shares_least() -> None:
    first, second = (
        reports.read({"node": f"n4_{pid}_x0p2qa", "host": "n4", "tags": ["n4", alias]})
        for pid, alias in ((1, "left"), (2, "right"))
    )
    assert module.label_of(first, [first, second]) == "left"
    assert module.label_of(reports.read({"node": "n4_1_x0p2qa", "host": "N4.example.org"}), []) == "n4"
