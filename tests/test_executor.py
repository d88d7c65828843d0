"""SpoolExecutor on real daemons, held against what the standard library documents for executors.

The contract runs against ThreadPoolExecutor and ProcessPoolExecutor, too, wherever it applies to them.
"""

from __future__ import annotations

import concurrent.futures as cf
import gc
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import executors
import numpy as np
import pytest
from asking import until_ready
from daemons import Site, until

from park_spool.client.answers import RemoteTraceback
from park_spool.client.executor import SpoolExecutor, own_paths
from park_spool.config import load, make_spool
from park_spool.errors import CallError, PermanentError

Make = Callable[..., cf.Executor]
WORKERS = len(os.sched_getaffinity(0))
ALL, PROCESSES, SPOOL = ("thread", "process", "spool"), ("process", "spool"), ("spool",)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("site")) as running:
        until_ready(running)
        yield running
        until(lambda: not any((running.spool / "calls").iterdir()), 30, "the end of all executors")
        running.assert_running()
        running.assert_legal()


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make executors of one kind; all of them are shut down at the end."""
    made: list[cf.Executor] = []

    def new(**options: Any) -> cf.Executor:
        match request.param:
            case "thread":
                made.append(cf.ThreadPoolExecutor(WORKERS, **options))
            case "process":
                made.append(cf.ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn"), **options))
            case "spool":
                made.append(SpoolExecutor(request.getfixturevalue("site").config, **options))
        return made[-1]

    yield new
    for executor in made:
        executor.shutdown(cancel_futures=True)


@pytest.fixture
def pool(make: Make) -> cf.Executor:
    return make()


def kinds(names: tuple[str, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", names, indirect=True)


def keep_busy(pool: cf.Executor, gate: Path) -> list[cf.Future[str]]:
    """Give every worker a call that waits for a file; return when all of them run."""
    futures = [pool.submit(executors.wait_for, gate) for _ in range(WORKERS)]
    until(lambda: executors.begun(gate) == WORKERS, 60, "busy workers")
    return futures


# submit and map


@kinds(ALL)
def test_submit_passes_everything_on_and_gives_a_future(pool: cf.Executor) -> None:
    assert pool.submit(executors.add, 2, y=3).result(60) == 5
    assert pool.submit(executors.tell, 1, fn=2, self=3, timeout=4).result(60) == (
        (1,),
        {"fn": 2, "self": 3, "timeout": 4},
    )
    future = pool.submit(pow, 2, 5)
    assert future.result(60) == 32 and future.exception() is None and future.done()
    assert not future.running() and not future.cancel() and not future.cancelled()


@kinds(ALL)
def test_submit_from_many_threads(pool: cf.Executor) -> None:
    found: list[int] = []

    def work(number: int) -> None:
        found.extend(pool.submit(executors.add, number, 10 * step).result(60) for step in range(5))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == sorted(number + 10 * step for number in range(6) for step in range(5))


@kinds(ALL)
def test_map_keeps_the_order_whatever_takes_longer(pool: cf.Executor) -> None:
    naps = [0.2, 0.0, 0.1, 0.0, 0.05]
    assert list(pool.map(executors.nap, naps)) == naps


@kinds(ALL)
def test_map_stops_with_the_shortest_iterable(pool: cf.Executor) -> None:
    assert list(pool.map(executors.add, [1, 2, 3], itertools.count(10))) == [11, 13, 15]
    assert list(pool.map(executors.add, [])) == []
    exhausted = iter([1])
    next(exhausted)
    assert list(pool.map(executors.add, exhausted)) == []


@kinds(ALL)
def test_map_collects_its_iterables_at_once_and_not_when_results_are_taken(pool: cf.Executor) -> None:
    taken: list[int] = []
    results = pool.map(executors.add, (taken.append(x) or x for x in range(5)))
    assert taken == [0, 1, 2, 3, 4]
    assert list(results) == [1, 2, 3, 4, 5]


@kinds(ALL)
def test_an_iterable_that_raises_does_so_in_map(pool: cf.Executor) -> None:
    def two() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        pool.map(executors.add, two())
    assert pool.submit(executors.add, 1).result(60) == 2


@kinds(ALL)
@pytest.mark.parametrize("chunksize", [1, 3, 1000])
def test_map_gives_the_same_in_any_chunks(pool: cf.Executor, chunksize: int) -> None:
    assert list(pool.map(executors.add, range(20), chunksize=chunksize)) == list(range(1, 21))


@kinds(PROCESSES)
def test_chunks_have_at_least_one_call(pool: cf.Executor) -> None:
    with pytest.raises(ValueError, match=r"chunksize must be >= 1\."):
        pool.map(executors.add, [1], chunksize=0)


@kinds(ALL)
def test_map_has_a_timeout_that_counts_from_its_call(pool: cf.Executor) -> None:
    list(pool.map(executors.add, range(WORKERS)))  # warm
    results = pool.map(executors.nap, [0.0, 1.5], timeout=0.7)
    assert next(results) == 0.0
    with pytest.raises(TimeoutError):
        next(results)


@kinds(ALL)
def test_map_raises_where_the_call_that_failed_would_have_been(pool: cf.Executor) -> None:
    results = pool.map(executors.fail_at, range(6), [3] * 6)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


@kinds(ALL)
def test_a_map_that_is_given_up_cancels_what_waits(pool: cf.Executor, tmp_path: Path) -> None:
    here, gate = tmp_path / "here", tmp_path / "gate"
    here.touch()
    results = pool.map(executors.wait_for, [here] + 20 * [gate])
    assert next(results) == "here"
    until(lambda: executors.begun(gate) == WORKERS, 60, "busy workers")
    results.close()  # type: ignore[attr-defined]
    gate.touch()
    assert pool.submit(executors.add, 1).result(60) == 2
    # A pool of processes has handed a few to its queue already, and says that they run.
    assert executors.begun(gate) <= 2 * WORKERS + 1


# exceptions


@kinds(ALL)
def test_what_a_call_raises_is_raised_by_its_future(pool: cf.Executor) -> None:
    future = pool.submit(executors.fail, "no film")
    with pytest.raises(ValueError, match=r"^no film$"):
        future.result(60)
    error = future.exception()
    assert type(error) is ValueError and error.args == ("no film",)
    assert pool.submit(executors.add, 1).result(60) == 2


@kinds(PROCESSES)
def test_its_cause_shows_the_remote_traceback(pool: cf.Executor) -> None:
    error = pool.submit(executors.fail, "no film").exception(60)
    assert error is not None
    assert "Traceback (most recent call last)" in str(error.__cause__)
    assert "in fail" in str(error.__cause__) and "ValueError: no film" in str(error.__cause__)


@kinds(SPOOL)
def test_the_traceback_says_where_it_was(pool: cf.Executor) -> None:
    error = pool.submit(executors.fail, "no film").exception(60)
    assert error is not None and isinstance(error.__cause__, RemoteTraceback)
    text = str(error.__cause__)
    assert text.startswith("on ") and "executors.py" in text and "park_spool" not in text.partition('"""')[2]


@kinds(ALL)
def test_exceptions_keep_what_is_in_them(pool: cf.Executor) -> None:
    error = pool.submit(executors.raise_rich).exception(60)
    assert isinstance(error, executors.Rich)
    assert (error.args, error.place) == (("no film", 7), 7)
    assert error.__notes__ == ["it was looked for"]


@kinds(ALL)
def test_leaving_is_an_answer_like_any_other(pool: cf.Executor) -> None:
    with pytest.raises(SystemExit) as caught:
        pool.submit(executors.leave, 3).result(60)
    assert caught.value.code == 3
    assert pool.submit(executors.add, 1).result(60) == 2


@kinds(SPOOL)
@pytest.mark.parametrize("function", [executors.raise_needs_two, executors.raise_with_lock])
def test_an_exception_that_cannot_be_pickled_is_told_in_words(pool: cf.Executor, function: Any) -> None:
    """A pool of processes breaks at the first of them, and nobody hears why."""
    with pytest.raises(CallError, match=r"the call raised .*the exception itself could not be sent") as caught:
        pool.submit(function).result(60)
    assert f"in {function.__name__}" in str(caught.value.__cause__)
    assert pool.submit(executors.add, 1).result(60) == 2


@kinds(PROCESSES)
def test_a_result_that_cannot_be_pickled_fails_its_own_call(pool: cf.Executor) -> None:
    error = pool.submit(executors.lock).exception(60)
    assert error is not None and "cannot pickle '_thread.lock' object" in str(error)
    assert pool.submit(executors.add, 1).result(60) == 2


@kinds(PROCESSES)
def test_arguments_that_cannot_be_pickled_fail_their_own_call(pool: cf.Executor) -> None:
    error = pool.submit(executors.add, threading.Lock()).exception(60)
    assert isinstance(error, TypeError)
    results = pool.map(executors.tell, [1, threading.Lock()])
    assert next(results) == ((1,), {})
    with pytest.raises(TypeError):
        next(results)


@kinds(SPOOL)
def test_a_function_that_cannot_be_pickled_fails_all_its_calls(pool: cf.Executor) -> None:
    lock = threading.Lock()
    for future in (pool.submit(lambda: lock), pool.submit(lambda: lock)):
        assert isinstance(future.exception(0), TypeError)
    with pytest.raises(TypeError):
        list(pool.map(lambda x: lock, [1, 2]))


@kinds(SPOOL)
@pytest.mark.parametrize(
    "use", [lambda sent: sent.submit(pow, 2, 2), lambda sent: sent(abs, [1]), lambda sent: sent.map(abs, [1])]
)
def test_an_executor_that_is_sent_along_does_not_work_there(pool: cf.Executor, use: Any) -> None:
    """lmfit's functions bring their fitter along, and that its `workers`."""
    assert pool.submit(lambda: type(pool).__name__).result(60) == "Absent"
    with pytest.raises(RuntimeError, match="an executor does not work inside its own calls"):
        pool.submit(lambda: use(pool)).result(60)


@kinds(SPOOL)
def test_a_call_that_kills_its_worker_breaks_its_own_future_only(pool: cf.Executor) -> None:
    first, *others = [pool.submit(executors.die, signal.SIGSEGV), *(pool.submit(executors.add, x) for x in range(6))]
    with pytest.raises(CallError, match="killed by SIGSEGV"):
        first.result(60)
    assert [future.result(60) for future in others] == [1, 2, 3, 4, 5, 6]
    with pytest.raises(CallError, match=r"killed by SIGKILL \(out of memory\?\)"):
        pool.submit(executors.die).result(60)
    assert pool.submit(executors.add, 1).result(60) == 2


# cancelling, waiting, callbacks


@kinds(ALL)
def test_a_waiting_call_is_cancelled_and_never_made(pool: cf.Executor, tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done.x"
    busy = keep_busy(pool, gate)
    waiting = [pool.submit(executors.mark, done) for _ in range(12)]
    last = waiting[-1]
    assert not last.running() and not last.done()
    assert last.cancel() and last.cancelled() and last.done() and last.cancel()
    with pytest.raises(cf.CancelledError):
        last.result(0)
    with pytest.raises(cf.CancelledError):
        last.exception(0)
    gate.touch()
    assert cf.wait(waiting + busy, 60).not_done == set()
    assert len(list(tmp_path.glob("done.*"))) == 11


@kinds(ALL)
def test_a_running_call_is_not_cancelled(pool: cf.Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    for future in busy:
        assert future.running() and not future.done()
        assert not future.cancel() and not future.cancelled() and future.running()
    gate.touch()
    assert [future.result(60) for future in busy] == ["gate"] * WORKERS
    assert not busy[0].running()


@kinds(ALL)
def test_waiting_for_the_first_for_all_and_for_a_while(pool: cf.Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    slow = pool.submit(executors.wait_for, gate)
    quick = pool.submit(executors.add, 1)
    done, left = cf.wait([slow, quick], 60, cf.FIRST_COMPLETED)
    assert (done, left) == ({quick}, {slow})
    assert cf.wait([slow], 0.05).done == set()
    bad = pool.submit(executors.fail, "no film")
    done, left = cf.wait([slow, bad], 60, cf.FIRST_EXCEPTION)
    assert (done, left) == ({bad}, {slow})
    with pytest.raises(TimeoutError):
        slow.result(0.05)
    gate.touch()
    assert cf.wait([slow, quick, bad], 60).done == {slow, quick, bad}


@kinds(ALL)
def test_as_completed_yields_what_is_done_the_cancelled_included(pool: cf.Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    waiting = [pool.submit(executors.add, x) for x in range(10)]
    assert waiting[9].cancel()
    with pytest.raises(TimeoutError):
        list(cf.as_completed(busy, 0.05))
    gate.touch()
    assert set(cf.as_completed([*busy, *waiting], 60)) == {*busy, *waiting}


@kinds(SPOOL)
def test_whoever_waits_for_a_cancelled_call_hears_of_it_at_once(pool: cf.Executor, tmp_path: Path) -> None:
    """The others tell only when a worker comes to it."""
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    waiting = pool.submit(executors.add, 1)
    assert waiting.cancel()
    assert next(cf.as_completed([*busy, waiting], 60)) is waiting
    assert cf.wait([*busy, waiting], 60, cf.FIRST_COMPLETED).done == {waiting}
    gate.touch()


@kinds(ALL)
def test_callbacks_are_called_once_each_with_the_future(pool: cf.Executor, tmp_path: Path) -> None:
    gate, called = tmp_path / "gate", []
    future = pool.submit(executors.wait_for, gate)
    for number in range(3):
        future.add_done_callback(lambda done, number=number: called.append((number, done)))
    assert called == []
    gate.touch()
    future.result(60)
    until(lambda: len(called) == 3, 10, "the callbacks")
    assert called == [(number, future) for number in range(3)]
    future.add_done_callback(lambda done: called.append((3, done)))
    assert called[3] == (3, future)


@kinds(ALL)
def test_a_callback_that_raises_is_told_in_the_log_and_harms_nobody(
    pool: cf.Executor, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    future = pool.submit(executors.wait_for, gate)
    heard = threading.Event()
    future.add_done_callback(lambda done: executors.fail("a careless callback"))
    future.add_done_callback(lambda done: heard.set())
    gate.touch()
    assert future.result(60) == "gate" and heard.wait(10)
    assert "exception calling callback" in caplog.text
    assert pool.submit(executors.add, 1).result(60) == 2


@kinds(SPOOL)
def test_whatever_a_callback_raises_the_executor_goes_on(
    pool: cf.Executor, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    future = pool.submit(executors.wait_for, gate)
    future.add_done_callback(lambda done: executors.leave(3))
    gate.touch()
    assert future.result(60) == "gate"
    assert pool.submit(executors.add, 1).result(60) == 2
    assert "setting the future of call 1 failed" in caplog.text


@kinds(ALL)
def test_a_callback_may_submit_and_cancel(pool: cf.Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    waiting = [pool.submit(executors.add, x) for x in range(10)]
    more: list[cf.Future[int]] = []

    def go_on(done: cf.Future[Any]) -> None:
        waiting[9].cancel()
        more.append(pool.submit(executors.add, 41))

    waiting[8].add_done_callback(go_on)
    assert waiting[8].cancel()
    gate.touch()
    assert more[0].result(60) == 42 and waiting[9].cancelled()
    assert cf.wait([*busy, *waiting], 60).not_done == set()


# shutting down


@kinds(ALL)
def test_the_end_of_a_with_block_waits_for_all(make: Make, tmp_path: Path) -> None:
    with make() as pool:
        futures = [pool.submit(executors.nap, 0.05) for _ in range(6)]
    assert all(future.done() for future in futures)
    assert [future.result(0) for future in futures] == [0.05] * 6


@kinds(ALL)
def test_after_shutdown_nothing_more_is_taken(pool: cf.Executor) -> None:
    future = pool.submit(executors.add, 1)
    pool.shutdown()
    assert future.result(0) == 2
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        pool.submit(executors.add, 1)
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        pool.map(executors.add, [1])
    pool.shutdown()
    pool.shutdown(wait=False, cancel_futures=True)


@kinds(ALL)
def test_shutdown_without_waiting_lets_what_is_pending_finish(pool: cf.Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    waiting = [pool.submit(executors.add, x) for x in range(6)]
    pool.shutdown(wait=False)
    assert not any(future.done() for future in busy)
    gate.touch()
    assert [future.result(60) for future in waiting] == [1, 2, 3, 4, 5, 6]


@kinds(ALL)
def test_shutdown_may_cancel_what_waits_and_not_what_runs(pool: cf.Executor, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    waiting = [pool.submit(executors.add, x) for x in range(12)]
    shutting = threading.Thread(target=lambda: pool.shutdown(cancel_futures=True))
    shutting.start()
    until(lambda: waiting[-1].cancelled(), 30, "the cancellation")
    assert shutting.is_alive(), "it waits for what runs"
    gate.touch()
    shutting.join(60)
    assert [future.result(0) for future in busy] == ["gate"] * WORKERS
    # A pool of processes has handed a few to its queue already.
    assert sum(future.cancelled() for future in waiting) >= 12 - WORKERS - 1


@kinds(SPOOL)
def test_an_executor_that_nobody_holds_any_more_finishes_its_work(pool: cf.Executor, make: Make, site: Site) -> None:
    executor = SpoolExecutor(site.config)
    sid, future = executor.sid, executor.submit(executors.nap, 0.3)
    del executor
    gc.collect()
    assert future.result(60) == 0.3
    until(lambda: not (site.spool / "calls" / sid).exists(), 30, "the end of the executor")


@kinds(SPOOL)
def test_nothing_is_left_of_it_once_it_was_shut_down(make: Make, site: Site) -> None:
    with make() as pool:
        list(pool.map(executors.add, range(50)))
        sid = pool.sid  # type: ignore[attr-defined]
    assert not (site.spool / "calls" / sid).exists()
    until(lambda: names_of(sid, site) == [f"{sid}.deleted"], 30, "the end of its session")


def names_of(sid: str, site: Site) -> list[str]:
    return [path.name for path in site.spool.rglob(f"*{sid}*")]


# initializers


@kinds(PROCESSES)
def test_an_initializer_runs_once_in_each_process(make: Make) -> None:
    pool = make(initializer=executors.prepare, initargs=("ready",))
    assert list(pool.map(executors.nap, [0.05] * 3 * WORKERS)) == [0.05] * 3 * WORKERS
    assert list(pool.map(lambda_free_prepared, range(10))) == [["ready"]] * 10


def lambda_free_prepared(_: int) -> list[str]:
    return executors.prepared()


@kinds(PROCESSES)
def test_an_initializer_that_raises_breaks_the_executor(make: Make) -> None:
    pool = make(initializer=executors.fail, initargs=("no film",))
    with pytest.raises(cf.BrokenExecutor):
        pool.submit(executors.add, 1).result(60)
    until(lambda: is_broken(pool), 30, "the end")


def is_broken(pool: cf.Executor) -> bool:
    try:
        pool.submit(executors.add, 1).exception(60)
    except cf.BrokenExecutor:
        return True
    return False


@kinds(SPOOL)
def test_it_says_why(make: Make) -> None:
    future = make(initializer=executors.fail, initargs=("no film",)).submit(executors.add, 1)
    with pytest.raises(cf.BrokenExecutor, match="the initializer raised ValueError: no film") as caught:
        future.result(60)
    assert "in fail" in str(caught.value.__cause__)


@kinds(PROCESSES)
def test_an_initializer_must_be_callable(make: Make) -> None:
    with pytest.raises(TypeError, match="initializer must be a callable"):
        make(initializer="prepare")


# what may be called, and with what


@kinds(SPOOL)
def test_closures_lambdas_and_classes_of_the_moment(pool: cf.Executor) -> None:
    shift = 10

    class Line:
        def __init__(self, slope: float) -> None:
            self.slope = slope

        def __call__(self, x: float) -> float:
            return self.slope * x + shift

    assert list(pool.map(lambda x: x + shift, range(3))) == [10, 11, 12]
    assert list(pool.map(Line(2.0), [1.0, 2.0])) == [12.0, 14.0]
    made = pool.submit(lambda: Line(5.0)).result(60)
    assert isinstance(made, Line) and made(1.0) == 15.0, "a class of ours comes back as itself"


@kinds(SPOOL)
def test_a_function_is_sent_as_it_is_when_it_is_called(pool: cf.Executor) -> None:
    factor = [1]
    first = pool.submit(lambda: factor)
    factor[0] = 2
    assert first.result(60) == [1] and pool.submit(lambda: factor).result(60) == [2]


@kinds(PROCESSES)
def test_nested_data_and_large_arrays(pool: cf.Executor) -> None:
    nested = {"a": [1, (2.5, None)], ("b", 1): {"c": {frozenset({1}), "x"}}, "bytes": b"\x00\xff", "text": "Å\ud800"}
    assert pool.submit(executors.tell, nested).result(60) == ((nested,), {})
    large = np.arange(500_000, dtype=float).reshape(500, 1000)
    assert pool.submit(executors.total, large).result(60) == large.sum()
    [(back,), _] = pool.submit(executors.tell, large).result(60)
    assert np.array_equal(back, large) and back.flags.writeable
    assert list(pool.map(executors.total, [large[:10]] * 20)) == [large[:10].sum()] * 20


@kinds(SPOOL)
def test_a_result_over_the_limit_says_so(pool: cf.Executor) -> None:
    with pytest.raises(CallError, match=r"takes 80 MB when it is sent, at most 67\.1 MB may be"):
        pool.submit(bytes, 60_000_000).result(60)


@kinds(SPOOL)
def test_it_is_callable_as_a_map(pool: Any) -> None:
    assert list(pool(executors.add, range(5))) == [1, 2, 3, 4, 5]
    assert pool.cpus == WORKERS


@kinds(SPOOL)
def test_a_bounded_map_takes_no_more_than_its_buffer(pool: Any) -> None:
    """As Executor.map does from Python 3.14 on: an iterable without an end is no trouble."""
    taken = itertools.count()
    results = pool.map(executors.add, taken, buffersize=4)
    assert [next(results) for _ in range(10)] == list(range(1, 11))
    assert next(taken) == 14
    results.close()
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="buffersize must be None or > 0"):
            pool.map(executors.add, [], buffersize=wrong)


@kinds(SPOOL)
def test_ten_thousand_quick_calls(pool: cf.Executor) -> None:
    assert sum(pool.map(executors.add, range(10_000))) == sum(range(1, 10_001))


@kinds(SPOOL)
def test_a_call_may_have_a_limit_of_time(make: Make) -> None:
    pool = make(timeout=0.3)
    slow, quick = pool.submit(executors.nap, 30.0), pool.submit(executors.add, 1)
    with pytest.raises(CallError, match=r"within its limit of 0.3 s"):
        slow.result(60)
    assert quick.result(60) == 2


@kinds(SPOOL)
def test_it_shows_in_the_queue_and_can_be_cancelled_there(make: Make, site: Site, tmp_path: Path) -> None:
    pool: Any = make(name="fit of a film", priority=5)
    gate = tmp_path / "gate"
    busy = keep_busy(pool, gate)
    waiting = pool.submit(executors.add, 1)
    park = [sys.executable, "-c", "from park_spool.cli.main import main; main()"]
    shown = subprocess.run([*park, "status", "--spool", str(site.spool)], capture_output=True, text=True, timeout=60)
    assert pool.sid in shown.stdout, shown.stderr
    done = subprocess.run(
        [*park, "cancel", "--spool", str(site.spool), pool.sid], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    for future in (*busy, waiting):
        with pytest.raises(cf.BrokenExecutor, match=f"session {pool.sid} of this executor was cancelled"):
            future.result(60)
    with pytest.raises(cf.BrokenExecutor):
        pool.submit(executors.add, 1)
    assert not gate.exists(), "what ran was killed"


# programs


def run_program(text: str, spool: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "program.py").write_text(textwrap.dedent(text))
    command = [sys.executable, "-W", "error", "program.py", str(spool)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


BEGIN = """
    import sys
    from pathlib import Path
    from park_spool.client.executor import SpoolExecutor
    from park_spool.config import load
    settings = load(Path(sys.argv[1]))
"""


def test_functions_and_exceptions_of_the_main_module(site: Site, tmp_path: Path) -> None:
    done = run_program(
        BEGIN
        + """
    class NoFilm(Exception):
        pass

    def half(x):
        if x < 0:
            raise NoFilm(x)
        return Half(x / 2)

    class Half:
        def __init__(self, value):
            self.value = value

    with SpoolExecutor(settings) as pool:
        print([one.value for one in pool.map(half, [1, 2, 3])])
        assert isinstance(pool.submit(half, 1).result(), Half)
        try:
            pool.submit(half, -1).result()
        except NoFilm as error:
            print("raised", error.args)
    """,
        site.spool,
        tmp_path,
    )
    assert (done.stdout, done.stderr) == ("[0.5, 1.0, 1.5]\nraised (-1,)\n", "")


def test_modules_beside_the_program_are_found(site: Site, tmp_path: Path) -> None:
    (tmp_path / "own_model.py").write_text("def chisq(x):\n    return 3 * x\n")
    program = BEGIN + "    import own_model\n    with SpoolExecutor(settings) as pool:\n"
    program += "        print(list(pool.map(own_model.chisq, [1, 2])))\n"
    assert run_program(program, site.spool, tmp_path).stdout == "[3, 6]\n"
    (tmp_path / "own_model.py").write_text("def chisq(x):\n    return 4 * x\n")
    assert run_program(program, site.spool, tmp_path).stdout == "[4, 8]\n", "an edited module is taken up"


def test_pending_calls_are_finished_when_the_program_ends(site: Site, tmp_path: Path) -> None:
    done = run_program(
        BEGIN
        + """
    import time
    def note(x):
        time.sleep(0.1)
        Path(folder, f"done{x}").touch()
        return x
    folder = str(Path.cwd())
    pool = SpoolExecutor(settings)
    futures = [pool.submit(note, x) for x in range(6)]
    futures[5].add_done_callback(lambda done: print("last", done.result()))
    """,
        site.spool,
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.glob("done*")) == [f"done{x}" for x in range(6)]
    assert done.stdout == "last 5\n"


def test_a_fork_has_no_part_in_it(site: Site, tmp_path: Path) -> None:
    done = run_program(
        BEGIN
        + """
    import os, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 says that forking with threads is risky
    pool = SpoolExecutor(settings)
    print(pool.submit(len, "abc").result(), flush=True)
    if os.fork() == 0:
        try:
            pool.submit(len, "abc")
        except RuntimeError as error:
            print(error, flush=True)
        pool.shutdown()
        sys.exit(0)
    os.wait()
    print(pool.submit(len, "abcd").result())
    """,
        site.spool,
        tmp_path,
    )
    assert done.stdout.splitlines() == ["3", "an executor does not work in a fork of its process: make one there", "4"]


# who is there, and who may


def test_it_warns_once_when_nobody_is_there_and_calls_wait(tmp_path: Path) -> None:
    with Site(tmp_path, "spoold") as site:
        until(lambda: any((site.spool / "locks").glob("spoold.*")), 30, "a spoold")
        pool = SpoolExecutor(site.config)
        with pytest.warns(RuntimeWarning, match="no park-noded is alive: .*; calls wait") as caught:
            future = pool.submit(executors.add, 1)
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            second = pool.submit(executors.add, 2)
        assert not cf.wait([future], 0.5).done
        assert pool.cpus == 0
        site.start("noded")
        assert (future.result(60), second.result(60)) == (2, 3)
        pool.shutdown()


def test_an_executor_that_does_nothing_needs_nobody(tmp_path: Path) -> None:
    make_spool(tmp_path / "spool")
    with SpoolExecutor(load(tmp_path / "spool")):
        assert os.listdir(tmp_path / "spool" / "inbox") != []
    assert os.listdir(tmp_path / "spool" / "inbox") == os.listdir(tmp_path / "spool" / "calls") == []


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_group_spool_refuses_before_anything_is_sent(tmp_path: Path, mode: int) -> None:
    spool = tmp_path / "spool"
    make_spool(spool)
    (spool / "inbox").chmod(mode)
    with pytest.raises(PermanentError, match="functions of a Python program do not run on this spool") as caught:
        SpoolExecutor(load(spool))
    assert str(spool) in str(caught.value) and "nothing was sent" in str(caught.value)
    assert os.listdir(spool / "inbox") == os.listdir(spool / "calls") == []


def test_which_folders_go_along() -> None:
    found = own_paths(
        ["", sys.prefix + "/lib/python3.11/site-packages", sys.base_prefix + "/lib/python3.11", "/home/w"]
    )
    assert found == [str(Path.cwd()), "/home/w"]
