"""`park` as tests call it: in this process, with a spool, and with what it printed apart."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from park_spool.cli.main import main


def park(*words: str | Path, spool: Path | None = None, typed: str | None = None) -> Result:
    arguments = [*map(str, words), *(["--spool", str(spool)] if spool else [])]
    return CliRunner().invoke(main, arguments, env={"PARK_SPOOL": None}, input=typed, catch_exceptions=False)
