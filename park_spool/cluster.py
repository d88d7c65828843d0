"""What the live nodes say together: how much there is to plan for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cluster:
    """All CPUs of the live nodes, and seconds a job for each (sid, group, job list) that they have run."""

    cpus: int
    job_seconds: Mapping[tuple[str, int, int], float]
