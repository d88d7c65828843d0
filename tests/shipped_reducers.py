"""The reducers that come along, fed with results as park-reduced feeds them, their texts and messages remembered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from park_spool.archive.writing import Result
from park_spool.catalog.registry import Registry
from park_spool.config import shipped_services
from park_spool.reducing import users_class
from park_spool.reducing.reduced_reply import ReducedReply
from park_spool.sessions import datasets
from park_spool.sessions.session import Axis, Element, Group, JobList, Scan, Task

SID = "20261123-025532-k3j9"
REGISTRY = Registry.load([shipped_services()])


@dataclass
class Recorder:
    """What a reducer put and said; texts that are JSON are read, and stand under the rest of their keys."""

    texts: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    puts: int = 0

    def put(self, keys: dict[str, object], text: str) -> None:
        assert keys["gid"] == f"{SID}.1"
        self.puts += 1
        self.texts[json.dumps({key: value for key, value in keys.items() if key != "gid"}, sort_keys=True)] = text

    def putMsg(self, gid: str, text: str) -> None:  # noqa: N802 (PARK's name)
        assert gid == f"{SID}.1"
        self.messages.append(text)

    def read(self, **keys: object) -> Any:
        return json.loads(self.texts[json.dumps(keys, sort_keys=True)])


def jobs(size: int, **attributes: str) -> JobList:
    return JobList("jobs", 0, size, (Element("input", attributes),))


def scan(*axes: Axis) -> JobList:
    product = Scan(axes, Element("input"))
    return JobList("scan", 0, product.size, (), product)


def result(
    job: int, output: Any = "", *, joblist: int = 1, status: str = "ok", finished: float | None = None
) -> Result:
    text = output if isinstance(output, str) else json.dumps(output)
    started = float(job) if finished is None else finished - 0.5
    return Result(SID, 1, joblist, job, status, 0, 0, "n1_1_aaaaaa", started, 0.5, text)


def made(classname: str, recorder: object, lists: tuple[JobList, ...], options: dict[str, str] | None = None) -> Any:
    group = Group("group1", Task("tester/noop", "tester", "noop"), (), classname, lists, options or {})
    return users_class.instance(REGISTRY, group, recorder)


def reduced(
    classname: str, results: Iterable[Result], *joblists: JobList, options: dict[str, str] | None = None, every: int = 0
) -> Recorder:
    """Feed a reducer, have it flushed after `every` so many results and at the end, and return what it kept and said."""
    lists, recorder = joblists or (jobs(10**9),), Recorder()
    reducer = made(classname, recorder, lists, options)
    for number, one in enumerate(results, 1):
        joblist = lists[one.joblist - 1]
        dataset = datasets.of_job(joblist, one.job, one.output)
        reducer(ReducedReply(one._replace(dataset=dataset), joblist))
        if every and number % every == 0:
            reducer.flush()
    reducer.flush()
    return recorder
