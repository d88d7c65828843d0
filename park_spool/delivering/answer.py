"""All that is delivered of one closed session, as one value. `chisq` is never reduced; NaN and unknown are None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from park_spool.archive.rows import JobRow


@dataclass(frozen=True, slots=True)
class Fit:
    """One job's fit: of a group its best, of a batch the best of a data set. `label` says of what it is."""

    label: str
    job: str
    chisq: float
    npoints: int | None = None
    dof: int | None = None
    reduced_chisq: float | None = None
    nllf: float | None = None
    seed: int | None = None
    node: str = ""
    seconds: float = 0.0
    parameters: Sequence[Mapping[str, Any]] = ()
    curve: Mapping[str, Any] | None = None
    profile: Mapping[str, Any] | None = None
    data: Sequence[str] = ()  # where the data sets are that it read
    metadata: Mapping[str, float | str] = field(default_factory=dict)  # metadata.py

    @property
    def drawn(self) -> dict[str, Any] | None:
        """The curve with the numbers that are written into its picture."""
        return None if self.curve is None else {**self.curve, "chisq": self.chisq, "dof": self.dof}


@dataclass(frozen=True, slots=True)
class JobLine:
    """One job with the attributes of its input."""

    row: JobRow
    input: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Failure:
    job: str
    status: str
    why: str


@dataclass(frozen=True, slots=True)
class GroupAnswer:
    """One group; `batch` has a fit, or None, for each data set by its label; `texts` are what its reducer kept."""

    number: int
    name: str
    task: str
    reducer: str | None
    stopped: str | None
    jobs: int
    ok: int
    failed: int
    best: Fit | None
    batch: Mapping[str, Fit | None] = field(default_factory=dict)
    steps: Sequence[tuple[float, float]] = ()  # finished, chisq: the improvements
    dots: Sequence[tuple[float, float]] = ()  # finished, chisq: the jobs, thinned out if many
    maps: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)  # job list → what ChisqMap kept
    failures: Sequence[Failure] = ()
    data: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One session. Times are Unix times; `edition` counts what was wished of it since it was first closed."""

    sid: str
    edition: int
    name: str
    user: str
    file: str
    state: str
    received: float
    closed: float | None
    started: float | None
    finished: float | None
    jobs: int
    ok: int
    failed: int
    duplicates: int
    groups: Sequence[GroupAnswer]
    provenance: Sequence[Mapping[str, Any]] = ()
    xml: bytes = b""
