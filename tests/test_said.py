"""What a job has said of itself: by its worker's message, or in the slot's log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from park_spool.running.child_log import ChildLog
from park_spool.running.said import Said


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ChildLog]:
    made = ChildLog(tmp_path / "log")
    yield made
    made.close()


def test_a_message_counts_for_its_job_alone(log: ChildLog) -> None:
    said = Said()
    said.tell('3 {"chisq": 2}')
    assert said.best_of(3, log) == '{"chisq": 2}' and said.best_of(4, log) is None


@pytest.mark.parametrize("message", ["", "x y", "-1 z", "9" * 50 + " z"])
def test_a_forged_message_is_passed_over(log: ChildLog, message: str) -> None:
    said = Said()
    said.tell(message)
    assert said.best_of(1, log) is None


def test_what_is_printed_counts_for_the_job_that_was_asked_about(log: ChildLog) -> None:
    said = Said()
    log.file.write(b'{"chisq": 1}\n')  # nobody knows whose
    assert said.best_of(1, log) is None
    log.file.write(b'{"chisq": 5}\n{"chisq": 4}\n{"chisq": 6}\n')
    assert said.best_of(1, log) == '{"chisq": 4}' == said.best_of(1, log)
    assert said.best_of(2, log) is None


def test_a_log_that_was_cut_is_read_from_its_new_beginning(log: ChildLog) -> None:
    said = Said()
    log.file.write(b"x" * 100_000)
    assert said.best_of(1, log) is None
    log.file.truncate(0)
    log.file.write(b'{"chisq": 4}\n')
    assert said.best_of(1, log) == '{"chisq": 4}'
