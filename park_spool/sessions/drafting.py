"""Sessions made by a program: `Session.of` and `Session.batch`. Pure: no file is looked at before the session is sent.

A path in `data` stands in the draft as its `href`; who sends it sends the file along (submit.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike, fspath
from pathlib import PurePath
from typing import Any

from park_spool.sessions.datasets import DATASET
from park_spool.sessions.element import Element
from park_spool.sessions.scan import Axis, Scan
from park_spool.sessions.session import Data, DataRef, File, Group, Inputs, JobList, Session, Task

SEED = "seed"
_NAME = re.compile(r"[^\w.+-]+")


def draft(
    cmd: str,
    *,
    data: Data = (),
    starts: int | None = None,
    inputs: Inputs | None = None,
    scan: Mapping[str, Iterable[object] | Axis] | None = None,
    **more: Any,
) -> Session:
    """Make a session of one group with one job list; see `Session.of`. Raises ValueError for what makes no job list."""
    several, shared = _inputs(inputs)
    axes = tuple(_axis(axis, values) for axis, values in (scan or {}).items())
    if starts is not None:
        axes = (*axes, Axis.ranging(SEED, 1, _whole("starts", starts), starts))
    if axes and several:
        beside = "a scan" if scan else "starts"
        raise ValueError(f"inputs: expected one dict beside {beside}, got a list of {len(several)}")
    joblist = _scanned(axes, shared) if axes else _listed(several or [shared])
    return _session(cmd, joblist, tuple(_refs(data)), **more)


def draft_batch(
    cmd: str,
    data: Data,
    *,
    starts: int = 1,
    inputs: Mapping[str, object] | None = None,
    sequential: bool = False,
    **more: Any,
) -> Session:
    """Make a session with a job for each data set and start; see `Session.batch`. Raises ValueError without data."""
    if sequential and starts > 1:
        raise ValueError(f"starts: expected 1 in a sequential batch, where each fit starts from the last, got {starts}")
    seeds = [{SEED: start} for start in range(1, _whole("starts", starts) + 1)] if starts > 1 else [{}]
    refs = _refs(data)
    elements = [
        _element({**(inputs or {}), **label, **seed}, (ref,)) for label, ref in _labelled(refs) for seed in seeds
    ]
    if not elements:
        raise ValueError("data: expected at least one data set, got none")
    joblist = JobList("data sets", 0, len(elements), tuple(elements), is_sequential=sequential)
    return _session(cmd, joblist, (), **{"reduce": "Batch", **more})


def _session(
    cmd: str,
    joblist: JobList,
    data: tuple[DataRef, ...],
    *,
    reduce: str | None = None,
    options: Mapping[str, object] | None = None,
    name: str = "",
    email: str = "",
    priority: int = 0,
    after: str = "",
    **task: object,
) -> Session:
    service, _, command = cmd.rpartition("/")
    attributes = {key: text_of(value) for key, value in task.items()}
    given = {key: text_of(value) for key, value in (options or {}).items()}
    group = Group(name or command, Task(cmd, service, command, attributes=attributes), data, reduce, (joblist,), given)
    return Session("", email, priority, {"name": name} if name else {}, (group,), after=after)


def _inputs(inputs: Inputs | None) -> tuple[list[Element], Element]:
    """Sort what was given as inputs into several, or one that all jobs share."""
    if inputs is None or isinstance(inputs, Mapping):
        return [], _element(inputs or {})
    several = [_element(values) for values in inputs]
    if not several:
        raise ValueError("inputs: expected at least one, got an empty list")
    return several, _element({})


def _element(values: Mapping[str, object], children: Sequence[Element] = ()) -> Element:
    return Element("input", {key: text_of(value) for key, value in values.items()}, "", tuple(children))


def _listed(inputs: list[Element]) -> JobList:
    return JobList("jobs", 0, len(inputs), tuple(inputs))


def _scanned(axes: tuple[Axis, ...], shared: Element) -> JobList:
    scan = Scan(axes, shared)
    return JobList("scan", 0, scan.size, (), scan)


def _axis(name: str, values: Iterable[object] | Axis) -> Axis:
    if isinstance(values, Axis):
        return values
    texts = tuple(text_of(value) for value in values)
    if not texts:
        raise ValueError(f"axis {name!r}: expected at least one value, got none")
    return Axis(name, texts)


def _whole(name: str, number: int) -> int:
    if number < 1:
        raise ValueError(f"{name}: expected a whole number above 0, got {number!r}")
    return number


def _refs(data: Data) -> list[DataRef]:
    """Name each data set: as it was named, or after its file, the second of a name with a number behind it."""
    named = dict(data) if isinstance(data, Mapping) else _named(data)
    return [DataRef(name, fspath(file)) for name, file in named.items()]


def _named(files: Iterable[File]) -> dict[str, File]:
    if isinstance(files, str | PathLike):
        files = [files]
    found: dict[str, File] = {}
    for file in files:
        stem = _NAME.sub("-", PurePath(fspath(file)).stem)
        stem = stem if stem.strip("-") else "data"  # of a pattern such as *.ort nothing is left
        name, number = stem, 1
        while name in found:
            number += 1
            name = f"{stem}-{number}"
        found[name] = file
    return found


def _labelled(refs: list[DataRef]) -> Iterator[tuple[dict[str, str], Element]]:
    """Yield each data set of a batch as an element, and the label that it needs: two files may have one name."""
    files = [PurePath(ref.href).name for ref in refs]
    for ref, file in zip(refs, files, strict=True):
        yield (
            {DATASET: ref.name} if files.count(file) > 1 else {},
            Element("data", {"name": ref.name, "href": ref.href}),
        )


def text_of(value: Any) -> str:
    """Write a value as the text that a session holds for it.

    >>> text_of(True), text_of(0.1 + 0.2), text_of("D2O"), text_of(("n1", "n2"))
    ('true', '0.30000000000000004', 'D2O', 'n1 n2')
    """
    value = getattr(value, "item", lambda: value)()  # a number of numpy's
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return " ".join(map(text_of, value))
    return value if isinstance(value, str) else repr(value)
