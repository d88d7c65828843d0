"""Replies: what a node wrote comes back; whatever else stands under the name is torn, and never another error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import replies, sealed
from park_spool.errors import TornError
from park_spool.naming import Unit, reply_name

UNIT = Unit("20261123-025532-k3j9", 1, 1, 17, 19)
NODE = "n4_4711_x0p2qa"
NAME = reply_name(UNIT, NODE)
RESULT: dict[str, Any] = {"job": 17, "status": "ok", "started": 1795402531.12, "seconds": 0.41, "output": "text"}
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def encode(*results: Any) -> bytes:
    return replies.encode(UNIT, NODE, {"host": "n4"}, [json.dumps(result).encode() + b"\n" for result in results])


def test_a_reply_comes_back() -> None:
    files = {"fit.dat": {"sha256": "0a" * 32, "size": 12}}
    full = {**RESULT, "why": "ü", "exit": 3, "signal": 9, "stderr": "x\ny", "data": {"film": "00"}, "job": 18}
    reply = replies.decode(NAME, encode(RESULT, full))
    assert (reply.unit, reply.node, reply.name) == (UNIT, NODE, NAME)
    assert reply.jobs == [replies.JobResult(**RESULT), replies.JobResult(**full)]
    [job] = replies.decode(NAME, encode({**RESULT, "files": files})).jobs
    assert job.files == {"fit.dat": replies.KeptFile("0a" * 32, 12)}
    assert reply.header["host"] == "n4"


def test_a_reply_may_lack_jobs_and_those_are_missing() -> None:
    assert replies.decode(NAME, encode()).jobs == []


def test_the_line_of_a_job_that_nobody_ran() -> None:
    reply = replies.decode(NAME, replies.encode(UNIT, NODE, {}, [replies.result_line(17, "lost", "nöde gone", 5.0)]))
    assert (reply.jobs[0].why, reply.jobs[0].status) == ("nöde gone", "lost")


@pytest.mark.parametrize(
    "change",
    [
        {"job": 16},
        {"job": 19},
        {"job": "17"},
        {"job": True},
        {"job": 17.0},
        {"status": "fine"},
        {"status": None},
        {"status": ["ok"]},
        {"output": None},
        {"output": {"chisq": 1}},
        {"started": "now"},
        {"started": float("nan")},
        {"started": 10**400},
        {"seconds": -1},
        {"seconds": float("inf")},
        {"seconds": None},
        {"why": 3},
        {"why": ["x"]},
        {"stderr": {}},
        {"exit": "1"},
        {"exit": 10**30},
        {"signal": 1.5},
        {"data": "film"},
        {"data": [1]},
        {"files": []},
        {"files": {"a": 3}},
        {"files": {"a": {"sha256": "0a" * 32}}},
        {"files": {"a": {"sha256": "0A" * 32, "size": 1}}},
        {"files": {"a": {"sha256": "0a" * 32 + "\n", "size": 1}}},
        {"files": {"a": {"sha256": "../" + "0a" * 32, "size": 1}}},
        {"files": {"a": {"sha256": "0a" * 32, "size": -1}}},
        {"files": {"a": {"sha256": "0a" * 32, "size": 2**63}}},
    ],
)
def test_impossible_results_are_torn(change: dict[str, Any]) -> None:
    with pytest.raises(TornError, match=r"expected a result with job \(17 to 18\)"):
        replies.decode(NAME, encode({**RESULT, **change}))


@pytest.mark.parametrize("field", RESULT)
def test_results_that_lack_a_field_are_torn(field: str) -> None:
    with pytest.raises(TornError, match="expected a result"):
        replies.decode(NAME, encode({name: value for name, value in RESULT.items() if name != field}))


@pytest.mark.parametrize("result", [None, 3, "x", [], [1], {}])
def test_results_that_are_no_objects_are_torn(result: Any) -> None:
    with pytest.raises(TornError, match="expected a result"):
        replies.decode(NAME, encode(result))


def test_a_job_that_is_answered_twice_in_one_reply_is_torn() -> None:
    with pytest.raises(TornError, match="expected a result"):
        replies.decode(NAME, encode(RESULT, RESULT))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"{\n",
        b"[]\n",
        b"3\n",
        b"{}\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        b'{"unit": "x", "node": "y"}\n',
        b"1" * 5000 + b"\n",
    ],
)
def test_whole_files_that_are_no_replies_are_torn(body: bytes) -> None:
    with pytest.raises(TornError):
        replies.decode(NAME, sealed.seal(body))


def test_a_reply_under_another_name_is_torn() -> None:
    other = reply_name(UNIT.next_attempt(), NODE)
    with pytest.raises(TornError, match="its header names another unit"):
        replies.decode(other, encode(RESULT))
    with pytest.raises(TornError, match="its name is not UNIT@NODE"):
        replies.decode("x", encode(RESULT))


def test_half_of_a_surrogate_pair_is_no_reason_to_lose_a_result() -> None:
    """It is good JSON and no UTF-8: a service may print it."""
    line = json.dumps({**RESULT, "output": "\ud800"}).encode() + b"\n"
    [job] = replies.decode(NAME, replies.encode(UNIT, NODE, {}, [line])).jobs
    assert job.output == "\ud800"


@given(st.integers(0, 10_000))
def test_every_truncation_is_torn(cut: int) -> None:
    data = encode(RESULT)
    with pytest.raises(TornError):
        replies.decode(NAME, data[: cut % len(data)])


@given(st.lists(JSON, max_size=3))
def test_any_json_is_a_reply_or_torn(values: list[Any]) -> None:
    try:
        reply = replies.decode(NAME, encode(*values))
    except TornError:
        return
    assert all(UNIT.start <= job.job < UNIT.stop for job in reply.jobs)


@given(st.sampled_from([*RESULT, "why", "exit", "signal", "stderr", "data", "files"]), JSON)
def test_any_value_in_any_field_is_a_result_or_torn(field: str, value: Any) -> None:
    try:
        [job] = replies.decode(NAME, encode({**RESULT, field: value})).jobs
    except TornError:
        return
    assert type(job.output) is str
    assert job.exit is None or -(2**63) <= job.exit < 2**63
