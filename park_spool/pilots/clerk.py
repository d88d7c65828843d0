"""A short-lived process that does one errand at a batch system: `python -m park_spool.pilots.clerk < ASKED > ANSWERS`.

A batch system may hang, a library for it may raise anything, print or change this process: a master must bear none of
that. So it asks a clerk, and kills one that is late. Answers are lines of JSON, each written as soon as it is known.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from park_spool.errors import ConfigError, ParkError
from park_spool.pilots import engines
from park_spool.pilots.engines import Engine
from park_spool.pilots.profiles import Profile
from park_spool.pilots.records import Pilot
from park_spool.processes import set_parent_death_signal

Say = Callable[[Mapping[str, Any]], None]


def carry_out(request: Mapping[str, Any], engine: Engine, say: Say) -> None:
    """Do an errand and say what came of it."""
    pilots = [Pilot(**fields) for fields in request.get("pilots", [])]
    match request["do"]:
        case "submit":
            for number, (command, folder) in enumerate(request["submits"]):
                job, reach = engine.submit(command, Path(folder))
                say({"number": number, "job": job, "reach": reach})
        case "states":
            say({"states": engine.states(pilots)})
        case "cancel":
            say({"cancelled": engine.cancel(pilots)})


def attempt(request: Mapping[str, Any], say: Say) -> None:
    """Do an errand; whatever fails is one sentence, and whether it is worth another try."""
    try:
        profile = Profile.from_json(request["profile"])
        if profile.path:
            os.environ["PATH"] = f"{profile.path}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        carry_out(request, engines.make(profile), say)
    except ParkError as error:
        say({"error": str(error), "passes": not isinstance(error, ConfigError)})
    except Exception as error:  # noqa: BLE001 - what a library for a batch system raises
        say({"error": f"{type(error).__name__}: {error}", "passes": True})


def main() -> None:
    """Read one request from standard input, and answer on what is standard output now."""
    set_parent_death_signal(signal.SIGTERM, os.getppid())
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints must not stand among the answers

    def say(answer: Mapping[str, Any]) -> None:
        os.write(answers, json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    attempt(json.load(sys.stdin), say)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
