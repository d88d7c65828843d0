"""park-datad as a process: real clients that break off and go on, many at once, a kill in the middle, and its manners."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from centre_site import Datad, command, datad, make_spool, sha256
from daemons import until
from remotes import Nginx

from park_spool.check import check_twice

SIZE = 50_000_000
Needs = Callable[[str], str]


def fill(path: Path, size: int) -> str:
    data = random.Random(size).randbytes(size)
    path.write_bytes(data)
    return sha256(data)


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remote")
    fill(folder / "large.bin", SIZE)
    return folder


def served(root: Path, remote: Path) -> Path:
    return make_spool(root, here=remote.as_uri() + "/")


def digest_of(path: Path) -> str:
    return sha256(path.read_bytes())


def interrupted(words: list[str], got: Path, enough: int = 1_000_000) -> None:
    """Run a client until it has some of the file, then end it: aria2 writes down which parts it has."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=got.parent)
    try:
        until(lambda: got.exists() and got.stat().st_blocks * 512 >= enough, 60, f"{enough} bytes by {words[0]}")
    finally:
        process.kill()
        process.wait()
    assert got.stat().st_size > 0


CLIENTS = {
    "curl": (
        ["curl", "-sS", "-f", "-C", "-", "-o", "large.bin"],
        ["--limit-rate", "4M"],
        "-H",
    ),
    "wget": (["wget", "-q", "-c"], ["--limit-rate=4m"], "--header"),
    "aria2c": (
        ["aria2c", "-q", "-x8", "-s8", "-k1M", "-c", "--file-allocation=none"],
        ["--max-overall-download-limit=4M"],
        "--header",
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_goes_on_where_it_was_interrupted(name: str, remote: Path, tmp_path: Path, needs: Needs) -> None:
    needs(name)
    words, slowly, header = CLIENTS[name]
    (folder := tmp_path / "got").mkdir()
    with datad(served(tmp_path, remote)) as centre:
        url = f"{centre.url}data/here/large.bin"
        interrupted([*words, *slowly, header, centre.bearer, url], folder / "large.bin")
        partly = (folder / "large.bin").stat().st_blocks * 512
        assert partly < SIZE or name == "aria2c"
        subprocess.run([*words, header, centre.bearer, url], cwd=folder, check=True, timeout=120)
        assert digest_of(folder / "large.bin") == digest_of(remote / "large.bin")
        metrics = centre.ask("/metrics")[1].decode()
    sent = int(re.findall(r'requests_total\{code="206"\} (\d+)', metrics)[0])
    assert sent >= (8 if name == "aria2c" else 1)


def crowd(centre: Datad, where: str, count: int) -> set[str]:
    with ThreadPoolExecutor(count) as threads:
        return {digest for digest, _ in threads.map(centre.fetch, [where] * count)}


def asked_once(tmp_path: Path, needs: Needs, size: int) -> None:
    needs("nginx")
    (remote := tmp_path / "remote").mkdir(mode=0o755)
    digest = fill(remote / "cold.bin", size)
    open_to_nginx(tmp_path)
    with Nginx(remote) as nginx, datad(make_spool(tmp_path, "data_fresh = 3600", web=nginx.url)) as centre:
        assert crowd(centre, "/data/web/cold.bin", 200) == {digest}
        until(lambda: gets(nginx) == ["GET /cold.bin 200 -"], 60, "the line in nginx's log")
        assert crowd(centre, "/data/web/cold.bin", 20) == {digest}
        assert nginx.requests.count("HEAD /cold.bin 200 -") == len(nginx.requests) - 1 <= 2


def gets(nginx: Nginx) -> list[str]:
    return [line for line in nginx.requests if line.startswith("GET")]


def open_to_nginx(folder: Path) -> None:
    """Let nginx's worker, which is another user, look below a folder of the test's."""
    for one in (folder, *folder.parents[:2]):
        if one.owner() == Path("~").expanduser().owner():
            one.chmod(one.stat().st_mode | 0o055)


def test_two_hundred_at_once_and_the_source_is_asked_once(tmp_path: Path, needs: Needs) -> None:
    asked_once(tmp_path, needs, 30_000_000)


@pytest.mark.prove
def test_two_hundred_at_once_for_a_large_file(tmp_path: Path, needs: Needs) -> None:
    asked_once(tmp_path, needs, 200_000_000)


def test_a_download_that_is_killed_goes_on_where_it_stopped(tmp_path: Path, needs: Needs) -> None:
    needs("nginx")
    (remote := tmp_path / "remote").mkdir(mode=0o755)
    digest = fill(remote / "long.bin", 40_000_000)
    open_to_nginx(tmp_path)
    slow = "limit_rate 8m;"
    with Nginx(remote, slow) as nginx:
        spool = make_spool(tmp_path, web=nginx.url)
        partial = spool / "data" / "partial"
        with datad(spool) as centre:
            asking = threading.Thread(target=ask_in_vain, args=(centre, "/data/web/long.bin"))
            asking.start()
            until(lambda: sum(path.stat().st_size for path in partial.iterdir()) > 5_000_000, 60, "some of the file")
            centre.kill()
            asking.join()
        (kept,) = [path.stat().st_size for path in partial.iterdir() if not path.suffix]
        with datad(spool) as centre:
            assert centre.fetch("/data/web/long.bin")[0] == digest
        until(lambda: f"GET /long.bin 206 bytes={kept}-" in gets(nginx), 60, "the line in nginx's log")
        assert len(gets(nginx)) <= 2


def ask_in_vain(centre: Datad, where: str) -> None:
    with pytest.raises((OSError, Exception)):
        centre.ask(where)


def test_a_download_goes_on_when_its_source_breaks_off(tmp_path: Path, needs: Needs) -> None:
    needs("nginx")
    (remote := tmp_path / "remote").mkdir(mode=0o755)
    digest = fill(remote / "long.bin", 30_000_000)
    open_to_nginx(tmp_path)
    with Nginx(remote, "limit_rate 8m;") as nginx:
        spool = make_spool(tmp_path, web=nginx.url)
        partial = spool / "data" / "partial"
        with datad(spool) as centre, ThreadPoolExecutor() as threads:
            asking = threads.submit(centre.fetch, "/data/web/long.bin")
            until(lambda: sum(path.stat().st_size for path in partial.iterdir()) > 5_000_000, 60, "some of the file")
            nginx.stop()
            nginx.start()
            assert asking.result()[0] == digest
        until(lambda: any(" 206 bytes=" in line for line in nginx.requests), 60, "the line in nginx's log")


def test_a_body_without_the_token_is_not_read_and_one_with_it_is_kept(tmp_path: Path, remote: Path) -> None:
    with datad(served(tmp_path, remote)) as centre:
        host, _, port = centre.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as asking:
            asking.sendall(b"PUT /put/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n")
            assert asking.recv(1000).startswith(b"HTTP/1.1 401 UNAUTHORIZED")
        with socket.create_connection((host, int(port)), timeout=60) as asking:
            asking.sendall(
                f"PUT /put/x HTTP/1.1\r\nHost: x\r\n{centre.bearer}\r\nContent-Length: {10**17}\r\n\r\n".encode()
            )
            assert asking.recv(1000).startswith(b"HTTP/1.1 507 INSUFFICIENT STORAGE")
        done = subprocess.run(
            ["curl", "-sS", "-H", centre.bearer, "-T", str(remote / "large.bin"), f"{centre.url}put/x.bin"],
            capture_output=True,
            check=True,
        )
        assert digest_of(remote / "large.bin") in done.stdout.decode()
        assert centre.fetch("/data/put/x.bin")[0] == digest_of(remote / "large.bin")


# manners


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_its_secret_stays(tmp_path: Path, remote: Path, number: signal.Signals) -> None:
    spool = served(tmp_path, remote)
    with datad(spool) as centre:
        assert centre.ask("/health")[0].status == 200
        centre.process.send_signal(number)
        assert centre.process.wait(60) == 0
    with datad(spool) as again:
        assert again.token == centre.token
    assert check_twice(spool) == []
    (log,) = (spool / "logs").glob("datad-*.log")
    assert f"stopped by signal {int(number)}" in log.read_text()


def test_it_stops_while_requests_wait_for_a_file(tmp_path: Path, needs: Needs) -> None:
    needs("nginx")
    (remote := tmp_path / "remote").mkdir(mode=0o755)
    fill(remote / "long.bin", 40_000_000)
    open_to_nginx(tmp_path)
    with Nginx(remote, "limit_rate 1m;") as nginx, datad(make_spool(tmp_path, web=nginx.url)) as centre:
        asking = [threading.Thread(target=ask_or_not, args=(centre, "/data/web/long.bin")) for _ in range(5)]
        for thread in asking:
            thread.start()
        until(lambda: b"park_datad_waiting 5" in centre.ask("/metrics")[1], 60, "five that wait")
        centre.process.terminate()
        assert centre.process.wait(60) == 0
        for thread in asking:
            thread.join()


def ask_or_not(centre: Datad, where: str) -> None:
    with suppress(OSError):  # the connection may be closed before the answer is through
        assert centre.ask(where)[0].status == 503


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--port", "TAKEN"], 75, "give another one with --port, or 0 for any free one"),
        (["--host", "no such host"], 1, "the data centre cannot listen on no such host"),
        (["--port", "70000"], 1, "data_port: expected 0 to 65535"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(
    tmp_path: Path, remote: Path, options: list[str], code: int, words: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = [option.replace("TAKEN", str(taken.getsockname()[1])) for option in options]
        refused(command(served(tmp_path, remote), *options), code, words)


def refused(words: list[str], code: int, sentence: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1), done.stderr
    assert sentence in done.stderr


def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, remote: Path) -> None:
    spool = served(tmp_path, remote)
    (spool / "datacenter.secret").write_text("x" * 43)
    (spool / "datacenter.secret").chmod(0o644)
    refused(command(spool, "--port", "0"), 1, "may be read or changed by others (mode 0644, expected 0600)")


def test_a_source_whose_secret_is_missing_is_said_at_the_start(tmp_path: Path) -> None:
    spool = make_spool(tmp_path)
    (spool / "park.toml").write_text('[sources.web]\nroot = "http://127.0.0.1:9/"\ntoken = "env:NO_SUCH_SECRET"\n')
    refused(command(spool, "--port", "0"), 1, "NO_SUCH_SECRET")


def test_serve_starts_it_where_there_are_sources(tmp_path: Path, remote: Path) -> None:
    spool = served(tmp_path, remote)
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    (spool / "park.toml").write_text(f"data_port = {port}\n" + (spool / "park.toml").read_text())
    serve = "from park_spool.cli.main import main; main()"
    words = [sys.executable, "-c", serve, "serve", "--spool", str(spool), "--no-web"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert "park-spoold, park-reduced, park-datad" in process.stderr.readline()
            line = process.stderr.readline()
            assert line == f"park-datad: data is at http://127.0.0.1:{port}/\n"
            assert Datad(process, spool, line).fetch("/data/here/large.bin")[0] == digest_of(remote / "large.bin")
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.terminate()


def test_it_is_light_to_import() -> None:
    heavy = ("matplotlib", "numpy", "sqlite_utils", "refnx", "paramiko", "fsspec")
    code = f"import sys, park_spool.datacenter.server; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_hundred_readers_that_read_nothing_cost_little(tmp_path: Path, remote: Path) -> None:
    with datad(served(tmp_path, remote)) as centre:
        assert centre.fetch("/data/here/large.bin")[1] >= 1
        before = resident(centre)
        host, _, port = centre.address.partition(":")
        head = f"GET /data/here/large.bin HTTP/1.1\r\nHost: x\r\n{centre.bearer}\r\n\r\n".encode()
        slow = [socket.create_connection((host, int(port)), timeout=60) for _ in range(100)]
        try:
            for one in slow:
                one.sendall(head)
            until(lambda: len(os.listdir(f"/proc/{centre.process.pid}/fd")) > 200, 60, "a hundred open files")
            assert centre.fetch("/data/here/large.bin") == (digest_of(remote / "large.bin"), 1)
            assert resident(centre) - before < 100_000_000  # two of these files
        finally:
            for one in slow:
                one.close()


def resident(centre: Datad) -> int:
    pages = Path(f"/proc/{centre.process.pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()
