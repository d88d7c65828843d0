"""Calls in a real warm worker: results, exceptions, initializers, crashes, limits, and whom it believes."""

from __future__ import annotations

import builtins
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from calls_site import CallsSite, raised, value

from park_spool import pickling
from park_spool.errors import CallError
from park_spool.naming import payload_name


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CallsSite]:
    made = CallsSite(tmp_path)
    yield made
    made.slot.close()


def add(x: int, y: int) -> int:
    return x + y


def fail(text: str) -> None:
    raise ValueError(text)


def test_results_come_back_in_order(site: CallsSite) -> None:
    bias = 100
    results = site.calls((lambda x: x + bias, (1,)), (pow, (2, 10)), (os.getpid, ()), (list, ("ab",)))
    assert [value(result) for result in results] == [101, 1024, site.slot.pid, ["a", "b"]]
    assert all(result["seconds"] < 5 for result in results)


def test_one_process_makes_all_calls_of_an_executor_and_none_of_another(site: CallsSite) -> None:
    [first], [second] = site.calls((os.getpid, ())), site.calls((os.getpid, ()))
    assert value(first) == value(second)
    [other] = site.calls((os.getpid, ()), sid="20261123-025532-zzzz")
    assert value(other) != value(first)


def remember(word: str) -> None:
    builtins.remembered = [*getattr(builtins, "remembered", []), word]  # type: ignore[attr-defined]


def test_the_initializer_runs_once_in_a_process_before_its_first_call(site: CallsSite) -> None:
    context = site.context((remember, ("hello",)))
    seen = [site.calls((eval, ("remembered",)), context=context)[0] for _ in range(3)]
    assert [value(result) for result in seen] == [["hello"]] * 3


def note_and_fail(folder: Path) -> None:
    (folder / f"note{time.monotonic_ns()}").touch()
    raise ValueError("no film")


def test_a_failing_initializer_is_told_as_such_and_runs_once(site: CallsSite, tmp_path: Path) -> None:
    results = site.calls((pow, (2, 2)), (pow, (2, 3)), context=site.context((note_and_fail, (tmp_path,))))
    assert len(list(tmp_path.glob("note*"))) == 1
    for result in results:
        said = raised(result)
        assert said.is_initializer and said.words == "ValueError: no film"
        assert result["why"] == "the initializer raised ValueError: no film"


def test_an_exception_comes_with_its_traceback_and_without_the_machinerys_frames(site: CallsSite) -> None:
    [result, fine] = site.calls((fail, ("no film",)), (pow, (2, 2)))
    said = raised(result)
    assert said.words == result["why"] == "ValueError: no film"
    assert said.exception is not None and pickling.loads(said.exception).args == ("no film",)
    assert "in fail" in said.traceback and "running/calls.py" not in said.traceback
    assert value(fine) == 4


class NeedsTwo(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def raise_needs_two() -> None:
    raise NeedsTwo(1, 2)


def raise_with_lock() -> None:
    raise ValueError(threading.Lock())


@pytest.mark.parametrize("function", [raise_needs_two, raise_with_lock])
def test_an_exception_that_cannot_be_sent_is_told_in_words(site: CallsSite, function: object) -> None:
    said = raised(site.calls((function, ()))[0])  # type: ignore[arg-type]
    assert said.exception is None
    assert said.words.split(":")[0].endswith(("NeedsTwo", "ValueError"))
    assert function.__name__ in said.traceback  # type: ignore[attr-defined]


def test_a_result_that_cannot_be_pickled(site: CallsSite) -> None:
    said = raised(site.calls((threading.Lock, ()))[0])
    assert said.exception is not None
    error = pickling.loads(said.exception)
    assert isinstance(error, CallError)
    assert str(error).startswith("the call returned a lock, which cannot be pickled: TypeError: cannot pickle")


def test_a_result_over_the_limit(site: CallsSite) -> None:
    [large, small] = site.calls((bytes, (2000,)), (bytes, (100,)), output=1000)
    assert raised(large).words.endswith("the result of the call takes 2.69 kB when it is sent, at most 1 kB may be")
    assert value(small) == bytes(100)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_whatever_a_call_raises_is_its_answer(site: CallsSite, error: BaseException) -> None:
    def throw(thrown: BaseException) -> None:
        raise thrown

    [result, fine] = site.calls((throw, (error,)), (pow, (2, 2)))
    exception = raised(result).exception
    assert exception is not None and type(pickling.loads(exception)) is type(error)
    assert value(fine) == 4


def kill_oneself(number: int) -> None:
    os.kill(os.getpid(), number)


def test_a_call_that_kills_its_process_is_to_blame_alone(site: CallsSite) -> None:
    results = site.calls((pow, (2, 2)), (kill_oneself, (signal.SIGSEGV,)), (os._exit, (7,)), (pow, (2, 3)))
    assert [result["status"] for result in results] == ["ok", "failed", "failed", "ok"]
    assert results[1]["signal"] == signal.SIGSEGV and "killed by SIGSEGV" in results[1]["why"]
    assert results[2]["exit"] == 7 and results[2]["output"] == ""


def test_a_call_that_takes_too_long(site: CallsSite) -> None:
    results = site.calls((time.sleep, (60,)), (pow, (2, 3)), timeout=0.3)
    assert [result["status"] for result in results] == ["timeout", "ok"]
    assert "within its limit of 0.3 s" in results[0]["why"]


def test_what_a_call_needs_is_loaded_outside_its_time(site: CallsSite, tmp_path: Path) -> None:
    (tmp_path / "slow_model.py").write_text("import time\ntime.sleep(0.6)\ndef chisq(x):\n    return x * 3\n")
    sys.path.append(str(tmp_path))
    try:
        import slow_model

        context = site.context((time.sleep, (0.6,)), paths=[str(tmp_path)])
        [result] = site.calls((slow_model.chisq, (2,)), context=context, timeout=0.5)
        assert value(result) == 6 and result["seconds"] < 0.5
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["slow_model"]


def take(size: int) -> int:
    return len(bytearray(size))


def test_a_call_that_takes_too_much_memory(site: CallsSite) -> None:
    results = site.calls((take, (1 << 40,)), (take, (1000,)), memory=1 << 29)
    assert raised(results[0]).words == "MemoryError"
    assert value(results[1]) == 1000


def test_modules_of_the_asker_are_found_where_it_found_them(site: CallsSite, tmp_path: Path) -> None:
    (tmp_path / "own_model.py").write_text("def chisq(x):\n    return x * 3\n")
    sys.path.append(str(tmp_path))
    try:
        import own_model

        [result] = site.calls((own_model.chisq, (2,)), context=site.context(paths=[str(tmp_path)]))
        assert value(result) == 6
        other = "20261123-025532-zzzz"
        [result] = site.calls((own_model.chisq, (2,)), context=site.context(paths=[], sid=other), sid=other)
        assert raised(result).words.startswith("ModuleNotFoundError: No module named 'own_model'")
    finally:
        sys.path.remove(str(tmp_path))
        del sys.modules["own_model"]


def test_nothing_is_kept_of_a_call_and_each_has_an_empty_folder(site: CallsSite) -> None:
    def look() -> tuple[list[str], str | None, str | None]:
        return os.listdir("."), os.environ.get("PARK_OUTPUT"), os.environ.get("PARK_SESSION")

    assert value(site.calls((look, ()))[0]) == ([], None, "20261123-025532-k3j9")


# pieces, and what is not there


def test_a_piece_of_a_unit(site: CallsSite) -> None:
    whole = site.unit([(pow, (2, number)) for number in range(6)])
    assert [value(result) for result in site.results(whole.piece(3, 5))] == [4, 8]


def test_a_payload_that_is_gone_fails_its_calls_in_words(site: CallsSite) -> None:
    unit = site.unit([(pow, (2, 2))])
    (site.folder_of(unit.sid) / payload_name(unit.start, unit.stop)).unlink()
    [result] = site.results(unit)
    assert (result["status"], result["output"]) == ("failed", "")
    assert "perhaps it has its answer already" in result["why"]


def test_a_payload_that_lacks_the_call(site: CallsSite) -> None:
    unit = site.unit([(pow, (2, 2))])
    folder = site.folder_of(unit.sid)
    (folder / payload_name(1, 2)).rename(folder / payload_name(2, 3))
    [result] = site.results(unit.piece(2, 3))
    assert "does not hold it" in result["why"]


def test_nothing_of_another_account_is_unpickled(site: CallsSite, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    unit = site.unit([(mark.touch, ())])
    [result] = site.results(unit, trusted=(os.geteuid() + 1,))
    assert (result["status"], result["output"]) == ("failed", "")
    assert f"belongs to user {os.geteuid()}" in result["why"]
    assert not mark.exists()


def test_a_folder_that_others_may_write_to_is_not_believed(site: CallsSite, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    unit = site.unit([(mark.touch, ())])
    site.folder_of(unit.sid).chmod(0o777)
    [result] = site.results(unit)
    assert "may be written to by others" in result["why"]
    assert not mark.exists()


def test_few_functions_are_kept(site: CallsSite) -> None:
    functions = [(lambda x, n=n: x + n, (1,)) for n in range(40)]
    assert [value(result) for result in site.calls(*functions)] == [1 + n for n in range(40)]
    assert [value(result) for result in site.calls(*functions)] == [1 + n for n in range(40)]
