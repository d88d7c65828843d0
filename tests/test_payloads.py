"""Payloads and pickles: what is read, what is believed, and what comes back as what it was."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import threading
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from park_spool import payloads, pickling
from park_spool.errors import TornError
from park_spool.payloads import Folder, Payload, Unusable
from park_spool.pickling import Raised

calls = st.dictionaries(st.integers(1, 10**9 - 1), st.tuples(st.integers(0, 9), st.binary(max_size=99)), max_size=9)


@given(st.text("abc", min_size=1), st.lists(st.text("def"), max_size=3), calls)
def test_a_payload_is_read_as_it_was_written(context: str, functions: list[str], given: Any) -> None:
    payload = Payload(context, tuple(functions), given)
    assert payloads.decode(payloads.encode(payload)) == payload


@given(st.data())
def test_a_torn_payload_is_seen(data: st.DataObject) -> None:
    whole = payloads.encode(Payload("c", ("f",), {1: (0, b"x" * 50), 2: (0, b"\n")}))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(TornError):
        payloads.decode(whole[:cut])


@pytest.mark.parametrize(
    "parts", [[], [("head", b"{}")], [("head", b"[]")], [("head", b'{"context": "c", "functions": []}'), ("x 1", b"")]]
)
def test_what_is_sealed_and_no_payload_is_torn_too(parts: list[tuple[str, bytes]]) -> None:
    from park_spool import sealed

    with pytest.raises(TornError):
        payloads.decode(sealed.bind(parts))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "calls").mkdir(mode=0o755)
    return Folder(tmp_path / "calls", (os.geteuid(),))


def write(folder: Folder, name: str, data: bytes, mode: int = 0o644) -> None:
    (folder.path / name).write_bytes(data)
    (folder.path / name).chmod(mode)


def payload(*jobs: int) -> bytes:
    return payloads.encode(Payload("c", ("f",), {job: (0, b"%d" % job) for job in jobs}))


def test_a_piece_of_a_unit_finds_the_payload_that_covers_it(folder: Folder) -> None:
    write(folder, "000000001-000000004", payload(1, 2, 3, 4))
    write(folder, "000000005-000000005", payload(5))
    assert set(folder.payload(1, 5, 1).calls) == {1, 2, 3, 4}
    assert set(folder.payload(3, 4, 3).calls) == {1, 2, 3, 4}
    assert set(folder.payload(5, 6, 5).calls) == {5}
    with pytest.raises(Unusable, match="the arguments of call 6 are not in"):
        folder.payload(6, 7, 6)


def test_a_stale_listing_is_refreshed_before_a_call_fails(folder: Folder) -> None:
    """NFS: the payload of a piece is found by a listing, which may be older than the payload."""
    late = Folder(folder.path, folder.trusted, lambda path: write(folder, "000000001-000000004", payload(1, 2, 3, 4)))
    assert set(late.payload(2, 3, 2).calls) == {1, 2, 3, 4}


def test_a_folder_that_is_gone_says_so(folder: Folder) -> None:
    folder.path.rmdir()
    with pytest.raises(Unusable, match="are not in"):
        folder.payload(1, 2, 1)


def test_a_function_must_be_what_its_name_says(folder: Folder) -> None:
    digest = hashlib.sha256(b"function").hexdigest()
    with pytest.raises(Unusable, match="is not there"):
        folder.function(digest)
    write(folder, digest, b"functio")
    with pytest.raises(Unusable, match="is not whole"):
        folder.function(digest)
    write(folder, digest, b"function")
    assert folder.function(digest) == b"function"


@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_what_others_may_write_is_not_believed(folder: Folder, what: str, mode: int) -> None:
    write(folder, "000000001-000000001", payload(1))
    (folder.path if what == "folder" else folder.path / "000000001-000000001").chmod(mode)
    with pytest.raises(Unusable, match="may be written to by others than its owner"):
        folder.payload(1, 2, 1)


def test_what_another_account_has_written_is_not_believed(folder: Folder) -> None:
    write(folder, "000000001-000000001", payload(1))
    with pytest.raises(Unusable, match=f"belongs to user {os.geteuid()}: functions by value run only if"):
        Folder(folder.path, (os.geteuid() + 1,)).payload(1, 2, 1)


def test_no_link_is_followed(folder: Folder) -> None:
    write(folder, "x", payload(1))
    (folder.path / "000000001-000000001").symlink_to("x")
    with pytest.raises(Unusable, match="cannot be read"):
        folder.payload(1, 2, 1)
    link = folder.path.parent / "link"
    link.symlink_to(folder.path)
    with pytest.raises(Unusable, match="cannot be read"):
        Folder(link, (os.geteuid(),)).read("x")


def test_whom_this_process_trusts(tmp_path: Path) -> None:
    assert set(payloads.trusted(tmp_path)) == {os.geteuid(), tmp_path.stat().st_uid, 0}


# pickles


def module_function(x: int) -> int:
    return x + 1


def test_what_can_be_imported_goes_by_reference() -> None:
    assert pickling.dumps(module_function) == pickle.dumps(module_function, 5)
    assert pickling.loads(pickling.dumps(functools.partial(module_function, 2)))() == 3


def test_what_cannot_goes_by_value() -> None:
    shift = 10

    class Local:
        def __init__(self) -> None:
            self.value = shift

    assert pickling.loads(pickling.dumps(lambda x: x + shift))(1) == 11
    assert pickling.loads(pickling.dumps(Local())).value == 10


def test_what_lives_in_the_main_module_goes_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    import __main__

    def double(x: int) -> int:
        return 2 * x

    double.__module__, double.__qualname__ = "__main__", "double"
    monkeypatch.setattr(__main__, "double", double, raising=False)
    data = pickling.dumps((double, 1))
    monkeypatch.delattr(__main__, "double")
    assert pickling.loads(data)[0](4) == 8


def test_a_module_that_was_registered_goes_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    import running_site

    by_reference = pickling.dumps(running_site.wait_until_gone)
    cloudpickle.register_pickle_by_value(running_site)
    try:
        assert len(pickling.dumps(running_site.wait_until_gone)) > len(by_reference)
    finally:
        cloudpickle.unregister_pickle_by_value(running_site)


def test_what_cannot_be_pickled_at_all() -> None:
    with pytest.raises(TypeError):
        pickling.dumps(threading.Lock())
    assert isinstance(pickling.try_dumps(threading.Lock()), TypeError)


class NeedsTwo(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


class KnowsHow(NeedsTwo):
    def __reduce__(self) -> tuple[object, ...]:
        return KnowsHow, (1, 2)


def test_an_exception_is_pickled_if_it_comes_back() -> None:
    for error in (ValueError("x"), KnowsHow(1, 2), SystemExit(3)):
        data = pickling.pickled_exception(error)
        assert data is not None and type(pickling.loads(data)) is type(error)
    for error in (NeedsTwo(1, 2), ValueError(threading.Lock())):
        assert pickling.pickled_exception(error) is None


@pytest.mark.parametrize(
    "output", ["", "x", "not base64 ü", pickling.to_text(b"x"), pickling.to_text(pickle.dumps((1, 2)))]
)
def test_what_was_raised_and_cannot_be_read_says_so(output: str) -> None:
    assert Raised.decode(output).words.startswith("something that cannot be read")
    assert pickling.try_loads("x")[1] is not None


@given(st.builds(Raised, st.text(), st.text(), st.none() | st.binary(), st.booleans()))
def test_what_was_raised_is_read_as_it_was_written(raised: Raised) -> None:
    assert Raised.decode(raised.encode()) == raised
    assert raised.encode().isascii()
