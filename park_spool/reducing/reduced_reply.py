"""One job's reply as a reducer sees it: what `park_spool.reduce.Reply` promises, over a stored result."""

from __future__ import annotations

from collections.abc import Mapping

from park_spool.archive.writing import Result
from park_spool.attributes import attributes
from park_spool.sessions.session import JobList

NUMBERS = ("chisq", "npoints", "dof", "nllf", "seed")


class ReducedReply:
    """A reply with the attributes of its output under their names, less what a job that is not ok cannot mean."""

    def __init__(self, result: Result, joblist: JobList) -> None:
        found = attributes(result.output)
        self.__dict__.update(found.values)
        if result.status == "ok":
            numbers = {name: getattr(found, name) for name in NUMBERS}
            self.__dict__.update({name: value for name, value in numbers.items() if value is not None})
        else:
            self.__dict__.pop("chisq", None)
        self.gid = f"{result.sid}.{result.group}"
        self.id = result.name
        self.joblist = result.joblist
        self.job = result.job
        self.status = result.status
        self.output = result.output
        self.node = result.node
        self.started = result.started
        self.seconds = result.seconds
        self.finished = result.finished
        self.why = result.why
        self.data = result.data or {}
        self.dataset = result.dataset
        self._list = joblist

    @property
    def input(self) -> Mapping[str, str]:
        return self._list.input(self.job).attributes  # made when it is asked for, since hardly any reducer asks

    def __str__(self) -> str:
        return self.output
