"""Files by os.sendfile: every range by real sockets, slow readers that stop nobody, and waitress's own accounting."""

from __future__ import annotations

import errno
import hashlib
import http.client
import logging
import os
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from centre_site import served
from daemons import until
from flask import Flask, Response, request
from park_spool.datacenter.ranges import OutOfRange
from park_spool.datacenter.sendfile import Channel
from park_spool.datacenter.sending import send_blob
from park_spool.datacenter.waiting import Loop
from waitress.buffers import TempfileBasedBuffer

SIZE = 20_000_003


@pytest.fixture(scope="module")
def data() -> bytes:
    return random.Random(5).randbytes(SIZE)


@pytest.fixture(scope="module")
def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def blob(data: bytes, digest: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blobs") / digest
    path.write_bytes(data)
    path.chmod(0o444)
    return path


def application(folder: Path) -> Flask:
    app = Flask(__name__)

    @app.route("/<name>", methods=["GET", "HEAD"])
    def blob(name: str) -> Response:
        return send_blob(folder / name, name, 1_795_400_000.0)

    @app.put("/<name>")
    def put(name: str) -> str:
        return hashlib.sha256(request.get_data()).hexdigest()

    app.register_error_handler(OutOfRange, lambda error: (str(error), 416))
    return app


@pytest.fixture
def loop(blob: Path) -> Iterator[Loop]:
    with served(application(blob.parent)) as loop:
        yield loop
        until(lambda: not any(channel.total_outbufs_len for channel in loop.channels()), 60, "an empty account")


def ask(loop: Loop, method: str, name: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(http.client.HTTPConnection(*loop.place, timeout=60)) as connection:
        connection.request(method, f"/{name}", headers={key.replace("_", "-"): value for key, value in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=1048575-1048577", 1048575, 1048578),
        ("bytes=5000000-9999999", 5_000_000, 10_000_000),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=9-{SIZE * 2}", 9, SIZE),
    ],
)
def test_a_part(loop: Loop, data: bytes, digest: str, asked: str, start: int, stop: int) -> None:
    answer, body = ask(loop, "GET", digest, Range=asked)
    assert answer.status == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert int(answer.headers["Content-Length"]) == stop - start
    assert body == data[start:stop]


@pytest.mark.parametrize("asked", ["", "bytes=0-1,5-6", "bytes=", "bytes=a-b", "lines=0-1", "bytes=5-1", "bytes=-"])
def test_what_is_no_range_or_several_gives_the_whole_file(loop: Loop, data: bytes, digest: str, asked: str) -> None:
    answer, body = ask(loop, "GET", digest, **({"Range": asked} if asked else {}))
    assert (answer.status, answer.headers["Accept-Ranges"], answer.headers["ETag"]) == (200, "bytes", f'"{digest}"')
    assert body == data


def test_a_part_behind_the_end_is_416(loop: Loop, digest: str) -> None:
    answer, body = ask(loop, "GET", digest, Range=f"bytes={SIZE}-")
    assert (answer.status, str(SIZE) in body.decode()) == (416, True)


def test_head_has_no_body_and_all_headers(loop: Loop, digest: str) -> None:
    answer, body = ask(loop, "HEAD", digest, Range="bytes=0-9")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, str(SIZE), b"")
    assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 02:13:20 GMT"


@pytest.mark.parametrize(
    ("if_range", "status"),
    [
        ('"DIGEST"', 206),
        ("Mon, 23 Nov 2026 02:13:20 GMT", 206),
        ("Mon, 23 Nov 2026 02:13:21 GMT", 200),
        ('W/"DIGEST"', 200),
        ('"another"', 200),
        ("nonsense", 200),
    ],
)
def test_if_range(loop: Loop, data: bytes, digest: str, if_range: str, status: int) -> None:
    answer, body = ask(loop, "GET", digest, Range="bytes=5-9", If_Range=if_range.replace("DIGEST", digest))
    assert (answer.status, body) == (status, data[5:10] if status == 206 else data)


def test_if_none_match(loop: Loop, digest: str) -> None:
    for tag, status in ((f'"{digest}"', 304), ("*", 304), ('"other"', 200)):
        answer, body = ask(loop, "GET", digest, If_None_Match=tag, Range="bytes=0-0")
        assert (answer.status, len(body)) == ((status, 0) if status == 304 else (206, 1))


def test_an_empty_file(loop: Loop, blob: Path) -> None:
    (blob.parent / "empty").write_bytes(b"")
    answer, body = ask(loop, "GET", "empty")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "0", b"")


def test_a_connection_is_kept_for_many_requests(loop: Loop, data: bytes, digest: str) -> None:
    with closing(http.client.HTTPConnection(*loop.place, timeout=60)) as connection:
        connection.connect()
        first = connection.sock
        for start in range(0, SIZE, 1_999_999):
            connection.request("GET", f"/{digest}", headers={"Range": f"bytes={start}-{start + 1_999_998}"})
            assert connection.getresponse().read() == data[start : start + 1_999_999]
            assert connection.sock is first


def test_requests_that_come_together_are_answered_one_by_one(loop: Loop, data: bytes, digest: str) -> None:
    """The first is answered whole, and the connection closed: a thread never waits for a reader."""
    request = f"GET /{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection(loop.place, timeout=60) as asking:
        asking.sendall(request * 20)
        answer = b"".join(iter(lambda: asking.recv(1 << 20), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert body == data


def test_a_hundred_slow_readers_do_not_stop_a_fast_one(loop: Loop, data: bytes, digest: str) -> None:
    asked = f"GET /{digest} HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n".encode()
    with ExitStack() as opened:
        for _ in range(100):
            slow = opened.enter_context(socket.create_connection(loop.place, timeout=60))
            slow.sendall(asked * 3)
        for _ in range(3):
            assert ask(loop, "GET", digest)[1] == data
        assert len(loop.channels()) >= 100


def test_a_reader_that_goes_away_leaves_nothing_open(loop: Loop, digest: str) -> None:
    for _ in range(20):
        with socket.create_connection(loop.place, timeout=60) as asking:
            asking.sendall(f"GET /{digest} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert asking.recv(1000).startswith(b"HTTP/1.1 200 OK")
    with closing(http.client.HTTPConnection(*loop.place, timeout=60)) as connection:
        while True:  # each look lets the server notice who has gone
            connection.request("HEAD", f"/{digest}")
            connection.getresponse().read()
            if len(loop.channels()) == 1:
                break
    assert [name for name in open_files() if digest in name] == []


def open_files() -> list[str]:
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
    return found


def test_no_byte_of_a_file_passes_through_python(
    loop: Loop, data: bytes, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, plain = [], Channel.__mro__[2].send  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Channel.__mro__[2],
        "send",
        lambda self, data, do_close=True: sent.append(len(data)) or plain(self, data, do_close),
    )
    assert ask(loop, "GET", digest)[1] == data
    assert sum(sent) < 2000


def test_a_file_that_becomes_shorter_ends_the_connection(
    loop: Loop, blob: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = blob.parent / "cut"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with socket.create_connection(loop.place, timeout=60) as asking:
        asking.sendall(b"GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")
        asking.recv(1000)
        os.truncate(path, 0)
        while asking.recv(1 << 20):
            pass
    path.unlink()
    with caplog.at_level(logging.CRITICAL):
        assert ask(loop, "HEAD", blob.name)[0].status == 200


class No:
    def to_response(self, ident: str) -> tuple[str, list[tuple[str, str]], bytes]:
        return "401 Unauthorized", [("Content-Type", "text/plain")], b"no"


def test_a_body_comes_only_through_the_gate(blob: Path, data: bytes, digest: str) -> None:
    seen: list[int | None] = []

    def gate(headers: Any, length: int | None) -> No | None:
        seen.append(length)
        return None if headers.get("AUTHORIZATION") == "x" else No()

    with served(application(blob.parent), gate) as loop:
        with closing(http.client.HTTPConnection(*loop.place, timeout=60)) as connection:
            connection.request("PUT", f"/{digest}", body=data, headers={"Authorization": "x"})
            assert connection.getresponse().read().decode() == digest
        with socket.create_connection(loop.place, timeout=60) as asking:
            asking.sendall(b"PUT /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            assert b"".join(iter(lambda: asking.recv(1000), b"")).startswith(b"HTTP/1.1 401 Unauthorized")
        assert ask(loop, "GET", digest)[0].status == 200
    assert seen == [SIZE, 9]


def test_a_body_for_which_the_disk_has_no_room_is_507(
    loop: Loop, data: bytes, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, socket.create_connection(loop.place, timeout=60) as asking:
        patch.setattr(TempfileBasedBuffer, "newfile", full)
        asking.sendall(b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n")
        asking.sendall(data[: 1 << 19])  # so much is kept in memory
        answer = b"".join(iter(lambda: asking.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 507 INSUFFICIENT STORAGE")
    assert b"No space left on device" in answer
    assert ask(loop, "GET", digest)[1] == data
