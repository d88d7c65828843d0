"""park-web as a process: real requests on loopback, a clean stop, refusals in one sentence, and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import signed_in
from archive_examples import RECEIVED, SID, ok, put, record, session

from park_spool import config
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.archive.writing import Archive
from park_spool.control_requests import user_name

FIT = """{"chisq": 966.193, "npoints": 408, "dof": 399, "seed": 7, "parameters": [
 {"name": "film thickness", "value": 258.863, "error": 0.104, "unit": "Å", "min": 50, "max": 500, "start": 321.0}],
 "curve": {"x": [0.01, 0.02, 0.03], "y": [1.0, 0.5, 0.2], "dy": [0.1, 0.1, 0.1], "model": [1.0, 0.5, 0.2]}}"""


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    config.make_spool(tmp_path / "spool")
    return tmp_path / "spool"


@contextmanager
def serving(spool: Path, *options: str, says: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run park-web on a free port; give the process and its address."""
    command = [sys.executable, "-m", "park_spool.web.server", "--spool", str(spool), "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("park-web: the page is at http://127.0.0.1:"), line + process.stderr.read()
            assert line.endswith(says), line
            yield process, line.split()[-1].partition("login?link=")[0]
        finally:
            process.kill()


def fetch(spool: Path, address: str) -> str:
    with urllib.request.urlopen(signed_in.asking(config.load(spool), address), timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_answers_and_stops_cleanly(spool: Path, number: signal.Signals) -> None:
    with serving(spool) as (process, address):
        assert "There is no archive" in fetch(spool, address)
        with Archive.open(spool / "archive" / "park.sqlite") as archive:
            archive.add_session(SID, record(session=session(48)), b"", RECEIVED)
        assert SID in fetch(spool, address)
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_the_first_one_is_let_in_by_the_link_that_is_printed(spool: Path) -> None:
    command = [sys.executable, "-m", "park_spool.web.server", "--spool", str(spool), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            (address,) = re.findall(r"http://127\.0\.0\.1:\d+/login\?link=\S+", process.stderr.readline())
            page, _, link = address.partition("login?link=")
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with browser.open(address, timeout=30) as answer:
                assert "Open the page" in answer.read().decode()
            with browser.open(f"{page}login/link", data=f"link={link}".encode(), timeout=30) as answer:
                assert answer.url == page and "There is no archive" in answer.read().decode()
            with browser.open(f"{page}users", timeout=30) as answer:
                assert user_name() in answer.read().decode()
        finally:
            process.kill()


def test_there_is_no_link_where_there_are_users_or_it_was_not_wanted(spool: Path) -> None:
    with serving(spool, "--no-link", says="/\n"):
        pass
    with Accounts.open(config.load(spool).page_accounts) as accounts:
        accounts.add_user("anna", Role.VIEWER)
    with serving(spool, says="/\n"):
        pass


def test_a_page_for_others_says_to_make_a_user_first(spool: Path) -> None:
    (spool / "park.toml").write_text('page_names = ["localhost"]\n', encoding="utf-8")
    command = [sys.executable, "-m", "park_spool.web.server", "--spool", str(spool), "--host", "0.0.0.0", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            first, second = process.stderr.readline(), process.stderr.readline()
            assert "link=" not in first
            assert (
                second
                == "park-web: nobody can log in yet: make a user with `park user add NAME --role administrator`\n"
            )
            page = first.split()[-1].replace("0.0.0.0", "127.0.0.1")
            with urllib.request.urlopen(page, timeout=30) as answer:
                assert answer.url == f"{page}login" and "There is no user yet" in answer.read().decode()
        finally:
            process.kill()


def test_another_archive_can_be_named(spool: Path, tmp_path: Path) -> None:
    with Archive.open(tmp_path / "other.sqlite") as archive:
        archive.add_session(SID, record(session=session(48)), b"", RECEIVED)
    with serving(spool, "--archive", str(tmp_path / "other.sqlite")) as (_, address):
        assert SID in fetch(spool, address)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--port", "TAKEN"], 75, "give another one with --port, or 0 for any free one"),
        (["--host", "192.0.2.1", "--port", "0"], 75, "192.0.2.1"),
        (["--host", "no such host"], 1, "cannot listen on no such host"),
        (["--port", "70000"], 1, "expected 0 to 65535"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(spool: Path, options: list[str], code: int, words: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = [option.replace("TAKEN", str(taken.getsockname()[1])) for option in options]
        command = [sys.executable, "-m", "park_spool.web.server", "--spool", str(spool), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_page_is_light_to_import() -> None:
    heavy = ("matplotlib", "numpy", "sqlite_utils", "refnx")
    code = f"import sys, park_spool.web.server; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_browser_shows_the_page(spool: Path, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None and not os.environ.get("CI"):
        pytest.skip("no chromium here to show the page with")
    assert browser is not None, "CI must show the page in a browser: install chromium"
    with Archive.open(spool / "archive" / "park.sqlite") as archive:
        archive.add_session(SID, record(session=session(48)), b"", RECEIVED)
        put(archive, [ok(1, 29207.5), ok(2, output=FIT, started=1.0)])
    (spool / "park.toml").write_text("page_open = true\n", encoding="utf-8")
    with serving(spool) as (_, address):
        shot = tmp_path / "page.png"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        flags += ["--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}"]
        flags += ["--window-size=1280,1400", f"--screenshot={shot}"]
        subprocess.run([browser, *flags, f"{address}sessions/{SID}"], check=True, capture_output=True, timeout=120)
    assert colours(shot) > 50


def colours(picture: Path) -> int:
    """Count the colours of a picture: a page that was not drawn has few."""
    from PIL import Image

    with Image.open(picture) as image:
        return len(image.convert("RGB").getcolors(maxcolors=2**24) or [])
