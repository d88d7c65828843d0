"""One slot that makes calls: a folder of calls as an asker leaves it, and a session of calls around it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from running_site import Site

from park_spool import payloads, pickling
from park_spool.naming import Unit, payload_name
from park_spool.payloads import Payload
from park_spool.pickling import Raised
from park_spool.running.assignment import Assignment
from park_spool.sessions.session import Group, JobList, Session, Task

SID = "20261123-025532-k3j9"
Call = tuple[Callable[..., Any], tuple[Any, ...]]


class CallsSite(Site):
    """`run(calls)` puts calls through the slot as one unit; each executor has a folder of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.made: dict[str, int] = {}

    def folder_of(self, sid: str) -> Path:
        path = self.folder / "calls" / sid
        path.parent.mkdir(exist_ok=True)
        path.mkdir(exist_ok=True, mode=0o755)
        return path

    def put(self, value: object, sid: str = SID) -> str:
        """Leave a pickle under its digest."""
        data = pickling.dumps(value)
        digest = hashlib.sha256(data).hexdigest()
        (self.folder_of(sid) / digest).write_bytes(data)
        return digest

    def context(self, initializer: Call | None = None, paths: list[str] | None = None, sid: str = SID) -> str:
        prepared = None if initializer is None else pickling.dumps(initializer)
        own = [str(Path(__file__).parent)] if paths is None else paths
        return self.put({"paths": own, "initializer": prepared}, sid)

    def unit(self, calls: list[Call], context: str | None = None, sid: str = SID) -> Unit:
        """Leave the payload of a unit of calls."""
        start = self.made.get(sid, 0) + 1
        self.made[sid] = start + len(calls) - 1
        unit = Unit(sid, 1, 1, start, start + len(calls))
        functions = tuple(self.put(function, sid) for function, _ in calls)
        arguments = {start + n: (n, pickling.dumps((args, {}))) for n, (_, args) in enumerate(calls)}
        data = payloads.encode(Payload(context or self.context(sid=sid), functions, arguments))
        (self.folder_of(sid) / payload_name(unit.start, unit.stop)).write_bytes(data)
        return unit

    def assigned(self, unit: Unit, trusted: tuple[int, ...] | None = None, **limits: float) -> Assignment:
        task = Task("python/call", "python", "call", mode="call", limits=limits)
        group = Group("calls", task, (), None, (JobList("calls", 0, 0, grows=True),))
        path = self.folder / f"session-{next(self.numbers)}.json"
        path.write_text(json.dumps(Session("user", "", 0, {}, (group,)).to_json()))
        return Assignment(
            unit.name,
            path,
            self.folder,
            (),
            (),
            1,
            1,
            ((unit.start, unit.stop),),
            self.folder / "scratch",
            calls=self.folder_of(unit.sid),
            trusted=(os.geteuid(),) if trusted is None else trusted,
        )

    def results(self, unit: Unit, **more: Any) -> list[dict[str, Any]]:
        self.slot.start(self.assigned(unit, **more))
        results = [json.loads(line) for line in self.wait()]
        assert [result["job"] for result in results] == list(range(unit.start, unit.stop))
        return results

    def calls(self, *calls: Call, context: str | None = None, sid: str = SID, **more: Any) -> list[dict[str, Any]]:
        return self.results(self.unit(list(calls), context, sid), **more)


def value(result: dict[str, Any]) -> Any:
    assert result["status"] == "ok", result
    return pickling.loads(pickling.from_text(result["output"]))


def raised(result: dict[str, Any]) -> Raised:
    assert result["status"] == "failed", result
    return Raised.decode(result["output"])
