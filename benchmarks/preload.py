"""One Python script that imports numpy, started from nothing and forked from a process that has imported it.

The script is what docs/services.md shows of an executable: it reads its input as XML, computes with numpy, and answers
in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Measure, Part, Target
from spools import running, service, session

SCRIPT = """import json
import sys
from xml.etree import ElementTree

import numpy

count = int(ElementTree.fromstring(sys.stdin.read()).get("count", "10"))
print(json.dumps({"chisq": float(numpy.arange(float(count)).sum())}))
"""
MANIFEST = """[commands.plain]
mode = "executable"
run = ["script.py"]

[commands.preloaded]
mode = "executable"
run = ["script.py"]
preload = ["numpy"]
"""


@contextmanager
def part(most: int) -> Iterator[Part]:
    """Give both measures, with at most so many jobs a run; without preload there are fewer."""
    many, few = min(most, 5000), min(most, 100)
    with service({"service.toml": MANIFEST, "script.py": SCRIPT}) as services:
        measures = [
            Measure("preloaded", lambda: many / park_spool(services, "preloaded", many), many),
            Measure("plain", lambda: few / park_spool(services, "plain", few), few),
        ]
        targets = [Target("preloaded", least=20, against="plain")]
        yield Part("A Python script that imports numpy, submit to archived", measures, targets)


def park_spool(services: Path, command: str, jobs: int) -> float:
    with running(services) as spool:
        return spool.seconds(session(f"bench/{command}", jobs), jobs)
