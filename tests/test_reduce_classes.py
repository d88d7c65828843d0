"""Tests of PARK's reducer interface: our Chisq, and the tutorial's own reducer run as it was printed."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

from park_spool.catalog.registry import Registry
from park_spool.reduce import XML_HEADER, Reduce

SHIPPED = Path(__file__).parents[1] / "services" / "reduce"
DOCUMENT = (SHIPPED.parents[1] / "docs" / "reducers.md").read_text(encoding="utf-8")
GID = "20261123-025532-k3j9.1"

# The tutorial's class with its two bugs mended: it read its own chisq, and did not quote it in the message.
TUTORIAL = '''
from reduce import Reduce, XML_HEADER

class Chisq (Reduce):
    """ A class to handle the chisq for data fitting. """
    def __init__(self):
        """ constructor. """
        Reduce.__init__(self)
        self.chisq = None

    def __call__(self, reply):
        keys = {};
        keys['gid'] = reply.gid;
        self.archive.put(keys, str(reply))
        keys['jid'] = reply.id
        if hasattr(reply, 'chisq'):
            chisqval = reply.chisq
            if self.chisq is None:
                self.chisq = chisqval
            elif chisqval < self.chisq:
                self.chisq = chisqval
            self.msgqueue.putMsg(reply.gid, '%s<reply gid="%s" update="%s" chisq="%s"/>' \\
                %(XML_HEADER, str(reply.gid), str(reply.id), str(chisqval)))
'''


class Recorder:
    """Stand in for the archive and the message queue, and remember what they were given."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.messages: list[tuple[str, str]] = []

    def put(self, keys: dict[str, object], text: str) -> None:
        """Keep a text as the archive does: by its keys as they are now."""
        self.texts[json.dumps(keys, sort_keys=True)] = text

    def putMsg(self, gid: str, text: str) -> None:  # noqa: N802  (PARK's name)
        """Keep a message."""
        self.messages.append((gid, text))


class FakeReply(SimpleNamespace):
    """Stand in for a reply."""

    def __str__(self) -> str:
        return str(self.output)


def reply(job: int, **attributes: Any) -> FakeReply:
    """Make a reply of job 1.1.`job`."""
    return FakeReply(gid=GID, id=f"1.1.{job}", status="ok", output=f"output {job}", **attributes)


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load a reducer's module from a file as PARK did: its folder and the shipped one on the path."""

    def import_fresh(path: Path) -> ModuleType:
        monkeypatch.syspath_prepend(str(SHIPPED))
        monkeypatch.syspath_prepend(str(path.parent))
        for name in ("reduce", path.stem):
            monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(path.stem)

    yield import_fresh
    for name in ("reduce", "Chisq", "Count"):
        sys.modules.pop(name, None)


def run(reducer: Any, replies: list[FakeReply]) -> Recorder:
    """Call a reducer with replies and give what it archived and sent."""
    recorder = Recorder()
    reducer.setArchive(recorder)
    reducer.setMsgQueue(recorder)
    for one in replies:
        reducer(one)
    return recorder


def chisqs(recorder: Recorder) -> list[float]:
    """Parse every message and give its chisq."""
    return [float(ElementTree.fromstring(text.encode()).attrib["chisq"]) for _, text in recorder.messages]


def test_base_class_has_parks_names() -> None:
    reducer = Reduce()
    assert reducer.archive is None
    assert reducer.msgqueue is None
    recorder = run(reducer, [reply(1, chisq=3.0)])
    assert reducer.archive is recorder
    assert reducer.msgqueue is recorder
    assert (recorder.texts, recorder.messages) == ({}, [])


def test_shipped_reduce_module_is_the_base_class(load: Any) -> None:
    module = load(SHIPPED / "reduce.py")
    assert module.Reduce is Reduce
    assert module.XML_HEADER is XML_HEADER


def test_improvement_quotes_whatever_stands_in_a_name(load: Any) -> None:
    awkward = """a"b'<&>"""
    text = load(SHIPPED / "Chisq.py").improvement(awkward, "1.1.1", 0.1 + 0.2)
    root = ElementTree.fromstring(text.encode())
    assert root.attrib["gid"] == awkward
    assert float(root.attrib["chisq"]) == 0.1 + 0.2


def test_the_tutorials_reducer_runs(load: Any, tmp_path: Path) -> None:
    path = tmp_path / "Chisq.py"
    path.write_text(TUTORIAL)
    reducer = load(path).Chisq()
    assert isinstance(reducer, Reduce)
    recorder = run(reducer, [reply(1, chisq=30.0), reply(2), reply(3, chisq=40.0), reply(4, chisq=20.0)])
    assert reducer.chisq == 20.0
    assert recorder.texts == {json.dumps({"gid": GID}): "output 4"}  # it keeps the last, not the best
    assert chisqs(recorder) == [30.0, 40.0, 20.0]


def test_the_documented_reducer_runs(load: Any, tmp_path: Path) -> None:
    path = tmp_path / "Count.py"
    path.write_text(DOCUMENT.partition("```python\n")[2].partition("```")[0])
    recorder = run(load(path).Count(), [reply(job) for job in range(1, 201)])
    assert recorder.texts == {json.dumps({"gid": GID}): "200"}
    assert [ElementTree.fromstring(text.encode()).attrib["count"] for _, text in recorder.messages] == [
        "100",
        "200",
    ]


def test_document_names_every_shipped_reducer() -> None:
    assert all(f"| `{name}` |" in DOCUMENT for name in Registry.load([SHIPPED.parent]).reducers)
