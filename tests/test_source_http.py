"""Sources on a real nginx: reading, resuming, lists of folders, redirects, passwords, TLS."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from partial_file import PartialFile
from remotes import Nginx, program

from park_spool.errors import DataError, PermanentError, TemporaryError
from park_spool.sources.fetching import fetch
from park_spool.sources.opening import open_source
from park_spool.sources.settings import SourceSettings
from park_spool.sources.source import Changed, Later, NotThere, Refused, Source
from park_spool.store.facts import Facts

LONG = os.urandom(3_000_000)
TREE = (
    "run7/film1.ort",
    "run7/film10.ort",
    "run7/.hidden.ort",
    "run8/film 2ü%2e.ort",
    "run8/12:30.ort",
    "run8/a&b;c.ort",
)
CONF = """
    location /limited/ { limit_rate 500k; limit_rate_after 1000k; }
    location /locked/ { auth_basic "data"; auth_basic_user_file PASSWORDS; }
    location /bearer/ { if ($http_authorization != "Bearer t0ken") { return 401; } }
    location /nolist/ { autoindex off; }
    location /weak/ { add_header ETag 'W/"a"'; etag off; }
    location /nohead/ { if ($request_method = HEAD) { return 405; } }
    location = /r/inside { return 302 /run7/film1.ort; }
    location = /r/again { return 301 inside; }
    location = /r/circle { return 302 /r/circle; }
    location = /r/outside { return 302 /../etc/passwd; }
    location = /r/elsewhere { return 302 http://127.0.0.1:9/run7/film1.ort; }
    location = /r/localhost { return 302 http://localhost:$server_port/run7/film1.ort; }
"""
STATUSES = (400, 403, 404, 410, 418, 429, 500, 503)
CONF += "".join(f"location = /status/{status} {{ return {status}; }}\n" for status in STATUSES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("http")
    for name in (*TREE, "locked/x.ort", "bearer/x.ort", "nolist/x.ort", "weak/x.ort", "nohead/x.ort", "deep/er/x.ort"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    for name in ("limited/long", "long"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(LONG)
    return folder


@pytest.fixture(scope="module")
def nginx(folder: Path, needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    needs(program("nginx"))
    passwords = tmp_path_factory.mktemp("nginx") / "passwords"
    passwords.write_text("reader:{PLAIN}hunter2\n")
    with Nginx(folder, CONF.replace("PASSWORDS", str(passwords))) as server:
        yield server


def source_at(root: str, environment: dict[str, str] | None = None, **more: object) -> Source:
    return open_source(SourceSettings("web", root, **more), environment or {})  # type: ignore[arg-type]


@pytest.fixture
def source(nginx: Nginx) -> Source:
    return source_at(nginx.url)


def content(source: Source, path: str, offset: int = 0) -> bytes:
    with source.open(path, offset, source.facts(path)) as chunks:
        return b"".join(chunks)


def fetched(source: Source, path: str, partial: PartialFile, tries: int = 3) -> Facts:
    return fetch(source, path, partial, tries=tries, pause=lambda _: None, said=lambda _: None)


@pytest.mark.parametrize("name", TREE)
def test_files_are_read_whatever_they_are_called(source: Source, name: str) -> None:
    assert content(source, f"/{name}") == name.encode()


def test_the_facts_are_what_the_server_says(source: Source, folder: Path) -> None:
    facts = source.facts("/run7/film1.ort")
    assert facts.size == 14 and facts.etag.startswith('"')
    assert facts.modified == int((folder / "run7/film1.ort").stat().st_mtime)


def test_what_is_here_is_not_asked_for_again(source: Source, nginx: Nginx, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    partial.restart(source.facts("/long"))
    partial.write(LONG[:1_000_000])
    fetched(source, "/long", partial)
    assert partial.content == LONG and len(partial.restarts) == 1
    assert "GET /long 206 bytes=1000000-" in nginx.requests


def test_another_version_is_begun_anew(source: Source, folder: Path, tmp_path: Path) -> None:
    partial = PartialFile(tmp_path / "partial")
    (folder / "changing").write_text("first version")
    partial.restart(source.facts("/changing"))
    partial.write(b"first")
    (folder / "changing").write_text("the second version")
    fetched(source, "/changing", partial)
    assert partial.content == b"the second version" and len(partial.restarts) == 2


def test_a_version_that_is_gone_is_not_continued(source: Source, folder: Path) -> None:
    (folder / "gone").write_text("first version")
    facts = source.facts("/gone")
    (folder / "gone").write_text("the second version")
    for offset in (0, 5):
        with pytest.raises(Changed), source.open("/gone", offset, facts):
            pass
    with pytest.raises(Changed, match="changed while"), source.open("/gone", 0, source.facts("/gone")) as chunks:
        (folder / "gone").write_text("the third version, longer")
        list(chunks)


def test_the_server_dies_in_the_middle_and_comes_back(
    folder: Path, needs: Callable[[str], str], tmp_path: Path
) -> None:
    needs(program("nginx"))
    with Nginx(folder, CONF.replace("PASSWORDS", "/dev/null")) as nginx:
        source, partial, said = source_at(nginx.url), PartialFile(tmp_path / "partial"), []
        write = partial.write

        def dies_once(data: bytes) -> None:
            write(data)
            if partial.size > 400_000 and not said:
                nginx.stop()

        partial.write = dies_once  # type: ignore[method-assign]
        fetch(source, "/limited/long", partial, tries=3, pause=lambda _: nginx.start(), said=said.append)
        assert hashlib.sha256(partial.content).digest() == hashlib.sha256(LONG).digest()
        assert len(partial.restarts) == 1 and len(said) == 1 and said[0].startswith("web:/limited/long: 127.0.0.1 ")
        assert [line for line in nginx.requests if " 206 bytes=" in line]


def test_errors_now_and_then_are_gone_through(folder: Path, needs: Callable[[str], str], tmp_path: Path) -> None:
    needs(program("nginx"))
    sometimes = 'split_clients "$request_id" $is_bad { 60% 1; * 0; }'
    with Nginx(folder, "location / { if ($is_bad) { return 503; } }", sometimes) as nginx:
        partial, said = PartialFile(tmp_path / "partial"), []
        fetch(source_at(nginx.url), "/long", partial, tries=100, pause=lambda _: None, said=said.append)
        assert partial.content == LONG
        assert all("503 Service Unavailable; tried again in" in words for words in said)


def test_nobody_there_is_given_up_after_the_tries(nginx: Nginx, tmp_path: Path) -> None:
    pauses: list[float] = []
    with pytest.raises(TemporaryError) as caught:
        source, partial = source_at("http://127.0.0.1:9/"), PartialFile(tmp_path / "partial")
        fetch(source, "/x", partial, tries=4, pause=pauses.append, said=lambda _: None)
    assert str(caught.value) == "web:/x: 127.0.0.1 cannot be reached: Connection refused; given up after 4 tries"
    assert pauses == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, DataError),
        (403, Refused),
        (404, NotThere),
        (410, NotThere),
        (418, DataError),
        (429, Later),
        (500, TemporaryError),
        (503, Later),
    ],
)
def test_a_status_is_what_it_means(source: Source, status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=f"^web:/status/{status}: 127.0.0.1 answered {status}") as caught:
        source.facts(f"/status/{status}")
    assert caught.type is kind


def test_what_is_final_is_not_tried_again(source: Source, nginx: Nginx, tmp_path: Path) -> None:
    for path in ("/status/404", "/status/403"):
        with pytest.raises(PermanentError):
            fetched(source, path, PartialFile(tmp_path / "partial"))
        assert len([line for line in nginx.requests if f" {path} " in line and line.endswith("-")]) <= 2


@pytest.mark.parametrize("path", ["/run7", "/run7/film1.ort/x", "/nothing"])
def test_what_is_no_file_is_not_there(source: Source, path: str) -> None:
    with pytest.raises(NotThere, match=f"^web:{path}"):
        source.facts(path)


def test_names_are_read_from_the_page_of_a_folder(source: Source) -> None:
    assert source.names("/run7/*.ort") == ["/run7/film1.ort", "/run7/film10.ort"]
    assert source.names("/run?/*") == sorted(f"/{name}" for name in TREE if "hidden" not in name)
    assert source.names("/run7/film1.ort") == ["/run7/film1.ort"] and source.names("/run7/x") == []
    assert source.names("/d*/er/*") == ["/deep/er/x.ort"]
    with pytest.raises(NotThere):
        source.names("/run9/*")
    with pytest.raises(Refused, match="answered 403"):
        source.names("/nolist/*")
    assert all(content(source, path) for path in source.names("/run8/*"))


def test_a_redirect_below_the_root_is_followed(source: Source) -> None:
    assert content(source, "/r/inside") == content(source, "/r/again") == b"run7/film1.ort"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/r/circle", "redirects more than 5 times"),
        ("/r/outside", "climbs|not below the root"),
        ("/r/elsewhere", "not the same scheme, host and port; that is not followed"),
        ("/r/localhost", "not the same scheme, host and port; that is not followed"),
    ],
)
def test_a_redirect_elsewhere_is_refused(source: Source, path: str, words: str) -> None:
    with pytest.raises(PermanentError, match=f"^web:{path}: 127.0.0.1 .*({words})"):
        source.facts(path)


def test_a_redirect_above_the_root_is_refused(nginx: Nginx) -> None:
    with pytest.raises(Refused, match="not below the root"):
        source_at(f"{nginx.url}r/").facts("/inside")


def test_a_password_is_sent_and_never_shown(nginx: Nginx) -> None:
    known = source_at(nginx.url, {"P": "hunter2"}, user="reader", secret="env:P")
    assert content(known, "/locked/x.ort") == b"locked/x.ort"
    for source in (source_at(nginx.url), source_at(nginx.url, {"P": "hunter3"}, user="reader", secret="env:P")):
        with pytest.raises(Refused, match="answered 401") as caught:
            source.facts("/locked/x.ort")
        assert "hunter" not in f"{caught.value!r}{caught.value.__cause__!r}"
    assert "hunter" not in repr(vars(known))


def test_a_token_is_sent(nginx: Nginx, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    assert content(source_at(nginx.url, token=f"file:{tmp_path}/token"), "/bearer/x.ort") == b"bearer/x.ort"
    with pytest.raises(Refused):
        source_at(nginx.url).facts("/bearer/x.ort")


def test_a_server_that_knows_no_head_is_asked_with_get(source: Source) -> None:
    assert content(source, "/nohead/x.ort") == b"nohead/x.ort"


def test_a_weak_etag_is_no_validator(source: Source, nginx: Nginx) -> None:
    facts = source.facts("/weak/x.ort")
    assert facts.etag == 'W/"a"' and facts.modified is not None
    with source.open("/weak/x.ort", 5, facts) as chunks:  # its time of change is the same
        assert b"".join(chunks) == b"x.ort"
    with pytest.raises(Changed, match="does not continue"), source.open("/weak/x.ort", 5, Facts(10, 'W/"a"')):
        pass


def test_a_certificate_must_be_trusted(
    folder: Path, needs: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(program("nginx"))
    needs("openssl")
    certificate = tmp_path / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    key = tmp_path / "key.pem"
    command = ["openssl", *words.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    with certificate.open("a") as file:
        file.write(key.read_text())
    with Nginx(folder, certificate=certificate) as nginx:
        with pytest.raises(Refused, match="has a certificate that is not trusted here"):
            source_at(nginx.url).facts("/run7/film1.ort")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert content(source_at(nginx.url), "/run7/film1.ort") == b"run7/film1.ort"
