"""Sources that fsspec reads, on its file system in memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from partial_file import PartialFile

from park_spool.errors import ConfigError, DataError, TemporaryError
from park_spool.sources.fetching import fetch
from park_spool.sources.opening import open_source
from park_spool.sources.remote_fs import FsspecSource
from park_spool.sources.settings import read
from park_spool.sources.source import CHUNK, Changed, NotThere, Refused, Source

LONG = bytes(range(256)) * (CHUNK // 100)


@pytest.fixture
def disk(needs: Callable[[str], str]) -> Iterator[Any]:
    needs("fsspec")
    import fsspec

    disk = fsspec.filesystem("memory")
    disk.pipe(
        {"/data/run7/film1.ort": b"film 1", "/data/run7/a b%2e.ort": b"film 2", "/data/long": LONG, "/outside": b"x"}
    )
    yield disk
    disk.store.clear()
    disk.pseudo_dirs[:] = [""]


@pytest.fixture
def source(disk: Any) -> Source:
    return opened({"root": "memory://data"})


def opened(table: dict[str, object], environment: dict[str, str] | None = None) -> Source:
    return open_source(read("cloud", table, Path("/spool")), environment or {})


def test_a_file_is_fetched_and_resumed(source: Source, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    partial.restart(source.facts("/long"))
    partial.write(LONG[: CHUNK + 1])
    facts = fetch(source, "/long", partial, tries=1, pause=lambda _: None, said=print)
    assert partial.content == LONG and facts.size == len(LONG) and len(partial.restarts) == 1
    with source.open("/run7/a b%2e.ort", 0, source.facts("/run7/a b%2e.ort")) as chunks:
        assert b"".join(chunks) == b"film 2"


def test_names(source: Source) -> None:
    assert source.names("/run7/*.ort") == ["/run7/a b%2e.ort", "/run7/film1.ort"]
    assert source.names("/*/film?.ort") == ["/run7/film1.ort"] and source.names("/*") == ["/long"]
    with pytest.raises(NotThere):
        source.names("/run9/*")


def test_what_is_no_file(source: Source) -> None:
    for path in ("/x", "/run7"):
        with pytest.raises(NotThere, match=f"^cloud:{path} is no"):
            source.facts(path)
    for path in ("/../outside", "//outside", "memory://outside"):
        with pytest.raises(DataError, match="the path"):
            source.facts(path)


def test_a_file_that_changes_is_told(source: Source, disk: Any) -> None:
    facts = source.facts("/long")
    with pytest.raises(Changed, match="changed while"), source.open("/long", 0, facts) as chunks:
        next(chunks)
        disk.pipe("/data/long", b"another one")
        list(chunks)
    with pytest.raises(Changed, match="another version"), source.open("/long", 0, facts):
        pass


def test_its_errors_are_sentences_without_secrets(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source = opened({"root": "memory://data", "options": {"key": "env:KEY", "anon": False}}, {"KEY": "hunter2"})
    assert isinstance(source, FsspecSource)

    for raised, kind in ((PermissionError, Refused), (RuntimeError, TemporaryError), (TimeoutError, TemporaryError)):

        def broken(*_: object, kind: type[Exception] = raised, **__: object) -> None:
            raise kind("no access\nwith hunter2")

        monkeypatch.setattr(source._disk, "info", broken)
        with pytest.raises(kind, match=f"^cloud:/x .*{raised.__name__}: no access with …$") as caught:
            source.facts("/x")
        assert caught.value.__cause__ is None


def test_what_is_missing_is_said(disk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"sources\.cloud.root: fsspec does not open nosuch://"):
        opened({"root": "nosuch://bucket/x"})
    with pytest.raises(ConfigError, match="KEY"):
        opened({"root": "memory://data", "options": {"key": "env:KEY"}})
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(ConfigError, match=r"needs fsspec, which is not installed: pip install 'park-spool\[remote\]'"):
        opened({"root": "s3://bucket/x"})
