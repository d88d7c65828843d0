"""The groups' reducers: made, fed, flushed, and stopped when they throw.

A reducer is the user's code. It runs inside the batch's transaction under a savepoint: what it keeps and says is
committed with the results it was called for, or not at all. One that throws is rolled back and marked stopped, with
file and line; its group's results go on being archived. A new object (after a restart, or when a stored result was
replaced) is called with all results again. What a class puts in `flush` is put about once a second, and whenever it
matters: it stands when a session is closed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from park_spool.admitted import Admitted
from park_spool.archive.writing import Archive, Result
from park_spool.catalog.registry import Registry
from park_spool.reducing import users_class
from park_spool.reducing.reduced_reply import ReducedReply
from park_spool.sessions.session import Group as SessionGroup

log = logging.getLogger(__name__)
Group = tuple[str, int]

FLUSH_SECONDS = 1.0


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


@dataclass(slots=True)
class Made:
    """A reducer at work; `is_due`: it has seen replies since it was flushed, which was at `flushed_at`."""

    reducer: Any
    texts: Texts
    group: SessionGroup
    is_due: bool = True
    flushed_at: float = float("-inf")

    def feed(self, results: Iterable[Result]) -> bool:
        for result in results:
            self.texts.at = result.finished
            self.reducer(ReducedReply(result, self.group.joblists[result.joblist - 1]))
            self.is_due = True
        return True

    def flush(self) -> bool:
        self.is_due = False
        if hasattr(self.reducer, "flush"):
            self.reducer.flush()
        return True


class Reducers:
    """The reducers of all groups that have one; `monotonic` says when to flush."""

    def __init__(self, archive: Archive, registry: Callable[[], Registry], monotonic: Callable[[], float]) -> None:
        self._archive = archive
        self._load_registry = registry
        self._registry = registry()
        self._monotonic = monotonic
        self._reducers: dict[Group, Made | None] = {}

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
        if made is not None:
            self._keep_if(group, lambda: made.feed(results))

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

    def run_again(self, session: Admitted, groups: Iterable[int]) -> None:
        """Reduce groups from their start because their user wants it: the code of the reducers may be another now."""
        self._registry = self._load_registry()
        for number in groups:
            self.restart(session, (session.sid, number))

    # flushing

    def unflushed(self) -> list[Group]:
        """Return the groups whose reducers have seen replies since they were flushed."""
        return [group for group, made in self._reducers.items() if made is not None and made.is_due]

    def due(self) -> list[Group]:
        """Return those of them that were not flushed for a while."""
        latest = self._monotonic() - FLUSH_SECONDS
        return [group for group in self.unflushed() if (made := self._reducers[group]) and made.flushed_at <= latest]

    def flush(self, groups: Iterable[Group]) -> None:
        """Have reducers put what has changed, inside the caller's transaction."""
        for group in groups:
            made = self._reducers.get(group)
            if made is not None and made.is_due:
                made.flushed_at = self._monotonic()
                self._keep_if(group, made.flush)

    def finish(self, session: Admitted, is_news: bool) -> None:
        """Have all reducers of a session put what they know: it is closed.

        `is_news`: it was not a moment ago, so that one that has not been made since a restart must put it, too.
        """
        groups = range(1, len(session.session.groups) + 1)
        if is_news:
            self.prepare(session, groups)
        self.flush([(session.sid, number) for number in groups])

    # making

    def _make(self, session: Admitted, group: Group, is_silent: bool) -> Made | None:
        wanted = session.session.groups[group[1] - 1]
        if wanted.reduce is None or group in self._archive.stopped_reducers():
            return None
        if wanted.reduce not in self._registry.reducers:
            self._registry = self._load_registry()  # it came after this daemon started
        texts = Texts(self._archive, group, is_silent)
        reducer = self._guarded(group, lambda: users_class.instance(self._registry, wanted, texts))
        if reducer is None:
            return None
        made = Made(reducer, texts, wanted)
        if not self._guarded(group, lambda: made.feed(self._archive.replies_in_order(*group))):
            return None
        texts.is_silent = False
        return made

    def _keep_if(self, group: Group, call: Callable[[], bool]) -> None:
        """Run a reducer's code; one that throws is not called any more."""
        if not self._guarded(group, call):
            self._reducers[group] = None

    def _guarded(self, group: Group, call: Callable[[], Any]) -> Any:
        """Run the user's code under a savepoint; None, and the group marked stopped, if it throws."""
        try:
            with self._archive.savepoint():
                return call()
        except Exception as error:  # noqa: BLE001 (a user's reducer may raise anything; it must not stop the line)
            why = users_class.describe(error)
            log.warning("the reducer of group %s.%d was stopped: %s", *group, why)
            self._archive.stop_reducer(*group, why)
            return None
