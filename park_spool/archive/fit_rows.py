"""The values that come out of the archive about fits: parameters, batches, curves, and where all of it came from.

Plain, frozen, without any SQL. Times are Unix seconds; a job is written `group.joblist.job`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter that a job gave; what its output did not say, or not as a number, is None."""

    place: int
    name: str
    value: float | None
    error: float | None
    unit: str | None
    min: float | None
    max: float | None
    start: float | None


@dataclass(frozen=True, slots=True)
class FitRow:
    """A job with a chisq, without what it said."""

    job: str
    chisq: float
    reduced_chisq: float | None
    npoints: int | None
    dof: int | None
    nllf: float | None
    seed: int | None
    dataset: str | None
    node: str
    seconds: float
    finished: float


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """A parameter of one of many fits."""

    job: str
    chisq: float
    dataset: str | None
    name: str
    value: float | None
    error: float | None
    unit: str | None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """The best fit of a data set, its parameters and their errors by name."""

    dataset: str
    job: str
    chisq: float
    reduced_chisq: float | None
    npoints: int | None
    dof: int | None
    nllf: float | None
    seed: int | None
    node: str
    seconds: float
    finished: float
    parameters: dict[str, float | None]
    errors: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Said:
    """What a job said, understood: `values` are all attributes of its output, `curve` is one of them if it is there."""

    job: str
    output: str
    values: dict[str, Any]
    curve: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a job; `counts` says whether it is the one that stands in the archive."""

    round: int
    attempt: int
    node: str
    status: str
    started: float
    seconds: float
    why: str | None
    exit: int | None
    signal: int | None
    stderr: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class DataSetRow:
    """A data set that jobs of a group read, by the digest of what it held then."""

    group: int
    name: str
    sha256: str
    href: str


@dataclass(frozen=True, slots=True)
class ProvenanceRow:
    """What ran jobs of a group; `versions` are those of the libraries on the node."""

    group: int
    node: str
    host: str
    version: str
    python: str
    service: str
    service_digest: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class TextRow:
    """What a group's reducer put, under its keys."""

    group: int
    keys: dict[str, Any]
    text: str
