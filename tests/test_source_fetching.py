"""What fetching promises whatever the source does: which tries count, and whose errors are whose."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from partial_file import PartialFile
from remotes import raw

from park_spool.errors import TemporaryError
from park_spool.sources.fetching import PROGRESS, fetch
from park_spool.sources.files import FileSource
from park_spool.sources.opening import open_source
from park_spool.sources.settings import SourceSettings
from park_spool.store.facts import Facts


@pytest.fixture
def source(tmp_path: Path) -> FileSource:
    (tmp_path / "film").write_bytes(b"0123456789")
    (tmp_path / "empty").touch()
    return FileSource(SourceSettings("disk", f"file://{tmp_path}/"))


def never(_: object) -> None:
    raise AssertionError


def test_an_empty_file_is_whole_at_once(source: FileSource, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    assert fetch(source, "/empty", partial, tries=1, pause=never, said=never).size == 0
    assert partial.facts is not None and partial.content == b""


def test_what_is_whole_already_is_not_read_again(source: FileSource, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    for _ in range(2):
        fetch(source, "/film", partial, tries=1, pause=never, said=never)
    assert partial.content == b"0123456789" and len(partial.restarts) == 1


def test_more_than_there_can_be_is_begun_anew(source: FileSource, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    partial.restart(source.facts("/film"))
    partial.write(b"0123456789 and more")
    fetch(source, "/film", partial, tries=1, pause=never, said=never)
    assert partial.content == b"0123456789"


@pytest.mark.parametrize("error", [TemporaryError("the store /s is full"), OSError(errno.ENOSPC, "No space left")])
def test_an_error_of_the_partial_file_is_not_the_sources(
    source: FileSource, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = PartialFile(tmp_path / "partial")

    def full(_: bytes) -> None:
        raise error

    monkeypatch.setattr(partial, "write", full)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(type(error)) as caught:
        fetch(source, "/film", partial, tries=3, pause=never, said=never)
    assert caught.value is error and len(os.listdir("/proc/self/fd")) == before


def serving(body: bytes, each: int, cuts: Callable[[], bool]) -> Callable[[bytes], bytes]:
    """Answer as a good server does, but hang up after `each` bytes of a body where `cuts` says so."""

    def answer(request: bytes) -> bytes:
        lines = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if ": " in line)
        start = int(lines.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        status = f"206 Part\r\nContent-Range: bytes {start}-{len(body) - 1}/{len(body)}" if start else "200 OK"
        head = f'HTTP/1.1 {status}\r\nETag: "1"\r\nContent-Length: {len(body) - start}\r\n\r\n'.encode()
        if request.startswith(b"HEAD"):
            return head
        return head + (body[start : start + each] if cuts() else body[start:])

    return answer


def test_tries_that_bring_much_do_not_count(tmp_path: Path) -> None:
    body = os.urandom(4 * PROGRESS)
    said: list[str] = []
    with raw(serving(body, PROGRESS, lambda: True)) as server:
        partial, source = PartialFile(tmp_path / "partial"), open_source(SourceSettings("web", server.url))
        fetch(source, "/x", partial, tries=2, pause=lambda _: None, said=said.append)
    assert partial.content == body and len(said) == 3


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.integers(1, 100), st.lists(st.booleans(), max_size=9))
def test_whatever_is_cut_where_ever_it_is_whole_in_the_end(
    tmp_path: Path, body: bytes, each: int, cuts: list[bool]
) -> None:
    (tmp_path / "partial").unlink(missing_ok=True)
    left = list(cuts)
    with raw(serving(body, each, lambda: bool(left) and left.pop())) as server:
        partial, source = PartialFile(tmp_path / "partial"), open_source(SourceSettings("web", server.url))
        facts = fetch(source, "/x", partial, tries=11, pause=lambda _: None, said=lambda _: None)
    assert partial.content == body and facts == Facts(len(body), '"1"') and len(partial.restarts) == 1
