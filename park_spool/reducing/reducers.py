"""The groups' reducers: found, made, fed, and stopped when they throw.

A reducer is the user's code. It runs inside the batch's transaction under a savepoint: what it keeps and says is
committed with the results it was called for, or not at all. One that throws is rolled back and marked stopped, with
file and line; its group's results go on being archived. A new object (after a restart, or when a stored result was
replaced) is called with all results again.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from park_spool.admitted import Admitted
from park_spool.archive.writing import Archive, Result
from park_spool.attributes import attributes
from park_spool.catalog.registry import REDUCERS, Registry
from park_spool.config import shipped_services
from park_spool.errors import ServiceError

log = logging.getLogger(__name__)
Group = tuple[str, int]


class ReducedReply:
    """One job's reply as a reducer sees it (see `park_spool.reduce.Reply`)."""

    def __init__(self, result: Result) -> None:
        found = attributes(result.output)
        numbers = {name: getattr(found, name) for name in ("chisq", "npoints", "dof", "nllf", "seed")}
        self.__dict__.update(found.values)
        if result.status == "ok":
            self.__dict__.update({name: value for name, value in numbers.items() if value is not None})
        else:
            self.__dict__.pop("chisq", None)
        self.gid = f"{result.sid}.{result.group}"
        self.id = result.name
        self.job = result.job
        self.status = result.status
        self.output = result.output
        self.node = result.node
        self.started = result.started
        self.seconds = result.seconds
        self.why = result.why

    def __str__(self) -> str:
        return self.output


@dataclass(slots=True)
class Texts:
    """What `self.archive` and `self.msgqueue` are to a reducer; silent while it only catches up."""

    archive: Archive
    group: Group
    is_silent: bool = False
    at: float = 0.0

    def put(self, keys: Mapping[str, object], text: str) -> None:
        if not self.is_silent:
            self.archive.put_text(*self.group, keys, str(text))

    def putMsg(self, gid: str, text: str) -> None:  # noqa: N802 (PARK's name)
        if not self.is_silent:
            self.archive.add_message(*self.group, str(text), self.at)


class Reducers:
    """The reducers of all groups that have one."""

    def __init__(self, archive: Archive, registry: Registry) -> None:
        self._archive = archive
        self._registry = registry
        self._reducers: dict[Group, tuple[Any, Texts] | None] = {}

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """Forget all reducers if a transaction fails: they have seen results that were rolled back."""
        try:
            yield
        except BaseException:
            self._reducers.clear()
            raise

    def forget(self, sid: str) -> None:
        """Let go of a session's reducers: nothing more is expected, and a late result makes them anew."""
        self._reducers = {group: made for group, made in self._reducers.items() if group[0] != sid}

    def prepare(self, session: Admitted, groups: Iterable[int]) -> None:
        """Make the reducers that a batch will need, before its results are stored.

        Each catches up on what is stored already.
        """
        for number in groups:
            group = (session.sid, number)
            if group not in self._reducers:
                self._reducers[group] = self._make(session, group, is_silent=True)

    def has(self, group: Group) -> bool:
        """Say whether a group's results are reduced; `prepare` comes first."""
        return self._reducers.get(group) is not None

    def reduce(self, group: Group, results: Iterable[Result]) -> None:
        """Call a group's reducer with newly stored results, all of them under one savepoint."""
        made = self._reducers.get(group)
        if made is not None and not self._call(group, *made, results):
            self._reducers[group] = None

    def redo(self, session: Admitted, group: Group) -> None:
        """Reduce a group from its start, since a stored result was replaced by a better one."""
        if self._reducers.get(group) is not None:
            self.restart(session, group)

    def restart(self, session: Admitted, group: Group) -> None:
        """Reduce a group from its start, since results that it has seen are not final any more.

        One that had been stopped gets another chance, as if it had never seen them.
        """
        self._archive.reset_reduction(*group)
        self._reducers[group] = self._make(session, group, is_silent=False)

    def _make(self, session: Admitted, group: Group, is_silent: bool) -> tuple[Any, Texts] | None:
        classname = session.session.groups[group[1] - 1].reduce
        if classname is None or group in self._archive.stopped_reducers():
            return None
        texts = Texts(self._archive, group, is_silent)
        reducer = self._guarded(group, lambda: _instance(self._registry, classname, texts))
        if reducer is None or not self._call(group, reducer, texts, self._archive.replies_in_order(*group)):
            return None
        texts.is_silent = False
        return reducer, texts

    def _call(self, group: Group, reducer: Any, texts: Texts, results: Iterable[Result]) -> bool:
        def call() -> bool:
            for result in results:
                texts.at = result.finished
                reducer(ReducedReply(result))
            return True

        return self._guarded(group, call) is not None

    def _guarded(self, group: Group, call: Any) -> Any:
        """Run the user's code under a savepoint; None, and the group marked stopped, if it throws."""
        try:
            with self._archive.savepoint():
                return call()
        except Exception as error:  # noqa: BLE001 (a user's reducer may raise anything; it must not stop the line)
            why = _describe(error)
            log.warning("the reducer of group %s.%d was stopped: %s", *group, why)
            self._archive.stop_reducer(*group, why)
            return None


def _instance(registry: Registry, classname: str, texts: Texts) -> Any:
    reducer = getattr(_load(registry.reducer(classname)), classname)()
    reducer.setArchive(texts)
    reducer.setMsgQueue(texts)
    return reducer


def _load(path: Path) -> Any:
    """Import a reducer's file afresh, its folder on the path as PARK had it (`from reduce import Reduce`)."""
    spec = importlib.util.spec_from_file_location(f"park_reducer_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ServiceError(f"{path} cannot be imported: expected a Python file")
    module = importlib.util.module_from_spec(spec)
    folders = [str(path.parent), str(shipped_services() / REDUCERS)]
    sys.path[:0] = folders
    try:
        spec.loader.exec_module(module)
    finally:
        for folder in folders:
            sys.path.remove(folder)
    return module


def _describe(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "park_spool" not in frame.filename] or list(frames)
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{place}"
