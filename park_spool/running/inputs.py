"""What each job of an assignment gets to read: its input with start values and resolved data sets, and their digests.

Guarantees: nothing is written out beforehand; an input that is repeated is prepared once.
Assumes: data does not change within one assignment, which is about a second of work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from park_spool.catalog.input_spec import is_resolved_data
from park_spool.sessions.data import Fetch, digest, may_be_far, refs_of, resolve, with_data
from park_spool.sessions.element import Element, input_text
from park_spool.sessions.session import DataRef, JobList
from park_spool.start_values import started

NO_VALUES: Mapping[str, str] = MappingProxyType({})
_MOST_KEPT = 1000  # inputs kept prepared; a job list with more has its own for nearly every job


@dataclass(frozen=True, slots=True)
class Input:
    """One input as a service reads it: element, XML text, and the digest of each data set by its name."""

    element: Element
    text: str
    digests: dict[str, str]


class Inputs:
    """The inputs of one job list, made when they are asked for; `start`: the values that they start from."""

    def __init__(
        self,
        joblist: JobList,
        group_data: tuple[DataRef, ...],
        files: Path,
        roots: tuple[Path, ...],
        start: Mapping[str, str] = NO_VALUES,
        fetch: Fetch | None = None,
    ) -> None:
        self._joblist, self._group_data, self._start = joblist, group_data, start
        self._fetched: set[DataRef] = set()
        self._find: Callable[[DataRef], Path] = lru_cache(_MOST_KEPT)(lambda ref: resolve(ref, files, roots, fetch))
        self._is_repeating = joblist.scan is None and len(joblist.inputs) <= _MOST_KEPT
        self._kept: dict[int, Input] = {}

    def of(self, job: int) -> Input:
        """Prepare the input of a job, counted from 1; DataError or OSError where its data cannot be had."""
        element = self._joblist.input(job)
        kept = self._kept.get(id(element))
        if kept is None:
            kept = self._prepare(element)
            if self._is_repeating:  # the job list holds the element, so its id stays its own
                self._kept[id(element)] = kept
        return kept

    def lacks(self, job: int) -> bool:
        """Say whether data of a job may have to be fetched before it can begin."""
        return any(ref not in self._fetched for ref in self._remote(job))

    def fetch(self, job: int) -> None:
        """Fetch the data of a job; DataError or OSError where it cannot be had."""
        for ref in self._remote(job):
            self._find(ref)
            self._fetched.add(ref)

    def _remote(self, job: int) -> list[DataRef]:
        return [ref for ref in refs_of(self._joblist.input(job), self._group_data) if may_be_far(ref.href)]

    def _prepare(self, element: Element) -> Input:
        resolved = with_data(started(element, self._start), self._group_data, self._find)
        return Input(resolved, input_text(resolved), _digests(resolved))


def _digests(element: Element) -> dict[str, str]:
    paths = {
        child.attributes["name"]: Path(child.attributes["path"])
        for child in element.children
        if is_resolved_data(child)
    }
    return {name: _known_digest(path, _version(path)) for name, path in paths.items()}


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=256)
def _known_digest(path: Path, version: tuple[int, int]) -> str:
    return digest(path)
