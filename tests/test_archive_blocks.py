"""Blocks: the rows are those that the same results make one by one, whatever was there before or comes later."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

import pytest
from archive_examples import GAPS_AND_ISLANDS, RECEIVED, SID, ask, dump, failed, ok, put, record, session
from hypothesis import given, settings
from hypothesis import strategies as st

from park_spool import replies
from park_spool.archive import blocks
from park_spool.archive.checking import check
from park_spool.archive.entries import Block
from park_spool.archive.writing import Archive, Result
from park_spool.naming import Unit, reply_name
from park_spool.reducing.known import block_of
from park_spool.replies import JobResult, Reply

NODE = "n1_1_aaaaaa"


def block(start: int, stop: int, outputs: list[str] | None = None, node: str = NODE, **fields: float) -> Block:
    started = [fields.get("started", RECEIVED) + job / 8 for job in range(start, stop)]
    seconds = [fields.get("seconds", 0.3)] * (stop - start)
    return Block(SID, 1, 1, start, 0, 0, node, started, seconds, outputs or ["{}"] * (stop - start))


def results(one: Block) -> list[Result]:
    return [
        Result(*one[:3], one.start + place, "ok", one.round, one.attempt, one.node, *said)
        for place, said in enumerate(zip(one.started, one.seconds, one.outputs, strict=True))
    ]


def archive(folder: str, name: str) -> Archive:
    opened = Archive.open(Path(folder) / name)
    opened.add_session(SID, record(session=session(500)), b"<session/>", RECEIVED)
    return opened


BLOCKS = st.builds(
    lambda start, size, node, started: block(
        start, start + size, [f"{{{job}}}" * (job % 3) for job in range(size)], node, started=started
    ),
    *(st.integers(1, 30), st.integers(1, 12), st.sampled_from([NODE, "n2_2_bbbbbb"]), st.sampled_from([1.0, 9.0])),
)
OTHERS = st.builds(
    lambda job, attempt: failed(job, attempt, is_final=attempt == 2), st.integers(1, 40), st.integers(0, 2)
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(BLOCKS, BLOCKS, OTHERS), min_size=1, max_size=8))
def test_blocks_make_the_same_rows_as_their_results(events: list[Block | Result]) -> None:
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(blocks, "LEAST", 1):
        with archive(folder, "one.sqlite") as one, archive(folder, "other.sqlite") as other:
            for event in events:
                batch = results(event) if isinstance(event, Block) else [event]
                put(one, batch)
                if not isinstance(event, Block) or not other.put_block(event):
                    put(other, batch)
        path = Path(folder) / "other.sqlite"
        assert dump(path) == dump(Path(folder) / "one.sqlite")
        assert check(path) == []
        ranges = ask(path, "SELECT group_number, joblist_number, start, stop FROM final_ranges")
        assert sorted(ranges) == ask(path, GAPS_AND_ISLANDS, SID)


def test_many_jobs_are_stored_to_the_last(tmp_path: Path) -> None:
    for stop in (blocks.LEAST + 1, 51, 100, 499):
        with archive(str(tmp_path), f"{stop}.sqlite") as one:
            assert one.put_block(block(1, stop))
            assert one.counts(SID) == (500, stop - 1, 0)
        assert ask(tmp_path / f"{stop}.sqlite", "SELECT count(*), max(job_number) FROM results") == [
            (stop - 1, stop - 1)
        ]


@pytest.mark.parametrize(
    "odd",
    [
        block(1, blocks.LEAST),
        block(1, 41, ["{}"] * 39 + ['{"chisq": 5}']),
        block(1, 41, ["{}"] * 39 + ['<reply npoints="5"/>']),
        block(1, 41, ["{}"] * 39 + ["film 258.86 Å"]),
        block(1, 41, ["{}"] * 39 + ["\ud800"]),
        block(1, 41, started=1e308, seconds=1.7e308),
        block(30, 60),
    ],
)
def test_what_is_no_block_changes_nothing(tmp_path: Path, odd: Block) -> None:
    with archive(str(tmp_path), "a") as one:
        put(one, [ok(45)])
        before = dump(tmp_path / "a")
        assert not one.put_block(odd)
        assert dump(tmp_path / "a") == before


def reply(*jobs: JobResult) -> Reply:
    unit = Unit(SID, 1, 1, 1, 4)
    return Reply(unit, NODE, {}, list(jobs))


def said(job: int, **fields: object) -> JobResult:
    return JobResult(**{"job": job, "status": "ok", "started": 5.0, "seconds": 0.5, "output": "x", **fields})  # type: ignore[arg-type]


def test_a_reply_is_a_block_if_its_jobs_are_ok_and_say_nothing_but_their_outputs() -> None:
    assert block_of(reply(said(1), said(2))) == Block(SID, 1, 1, 1, 0, 0, NODE, [5.0] * 2, [0.5] * 2, ["x"] * 2)
    assert block_of(reply(said(2), said(3))) is None, "the first is missing"
    assert block_of(reply(said(2), said(1))) is None
    for odd in ({"why": ""}, {"exit": 0}, {"stderr": "x"}, {"data": {}}, {"files": {}}, {"status": "failed"}):
        assert block_of(reply(said(1), said(2, **odd))) is None


def test_a_block_of_a_decoded_reply() -> None:
    unit = Unit(SID, 1, 1, 7, 9)
    lines = [b'{"job": %d, "status": "ok", "started": 1, "seconds": 2, "output": ""}\n' % job for job in (7, 8)]
    decoded = replies.decode(reply_name(unit, NODE), replies.encode(unit, NODE, {}, lines))
    assert block_of(decoded) == Block(SID, 1, 1, 7, 0, 0, NODE, [1.0, 1.0], [2.0, 2.0], ["", ""])
