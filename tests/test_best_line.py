"""Progress: the best of the reply lines, whatever comes between them."""

from __future__ import annotations

import json

from park_spool.running.best_line import MOST, BestLine


def best_of(*pieces: bytes) -> str | None:
    best = BestLine()
    for piece in pieces:
        best.feed(piece)
    return best.line


def test_the_smallest_chisq_wins_in_json_and_in_xml() -> None:
    assert best_of(b'{"chisq": 7}\n<reply chisq="3.5"/>\n{"chisq": 4}\n') == '<reply chisq="3.5"/>'


def test_a_line_may_come_in_pieces_and_counts_when_it_is_complete() -> None:
    best = BestLine()
    assert not best.feed(b'{"chis') and best.line is None
    assert best.feed(b'q": 1}\n{"chisq": 0.5}') and best.line == '{"chisq": 1}'


def test_what_is_no_reply_is_passed_over() -> None:
    noise = b'chisq 1\n{"chisq": nan}\n{"chisq": "1"}\n{"chisq"\n<reply chisq=\n\xff\n{"other": 1}\n'
    assert best_of(noise) is None


def test_a_line_without_end_is_dropped() -> None:
    assert best_of(*[b"x" * 60_000] * 10, b'{"chisq": 0}\n{"chisq": 2}\n') == '{"chisq": 2}'


def test_of_a_long_line_only_the_number_goes_on() -> None:
    line = json.dumps({"chisq": 2.5, "curve": "x" * MOST}).encode()
    assert best_of(line + b"\n") == '{"chisq": 2.5}'
