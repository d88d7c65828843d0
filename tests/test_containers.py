"""The container files: every command in them is one that park-spool has, and every role shares the spool."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from park_spool.datacenter import server as data_server
from park_spool.web import server

from park_spool import noded, reduced, spoold
from park_spool.cli.main import main
from park_spool.system.answering import failure

ROOT = Path(__file__).resolve().parent.parent
CONTAINERS = ROOT / "containers"
COMPOSE: dict[str, Any] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text(encoding="utf-8"))
CONTAINERFILE = (CONTAINERS / "Containerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DAEMONS = {
    "park-spoold": spoold.main,
    "park-noded": noded.main,
    "park-reduced": reduced.main,
    "park-web": server.main,
    "park-datad": data_server.main,
}


def parse(words: list[str]) -> None:
    """Parse a command as the console would; a usage error raises."""
    name, *rest = words
    command: click.Command = DAEMONS[name] if name != "park" else main.commands[rest.pop(0)]
    command.make_context(command.name, rest)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_runs_a_command_that_is_there_on_the_shared_spool(name: str) -> None:
    service = SERVICES[name]
    parse(service["command"])
    assert service["volumes"] == ["spool:/spool"] and "spool" in COMPOSE["volumes"]
    assert service["image"] == "park-spool"
    build = service["build"]
    assert (CONTAINERS / build["context"] / build["dockerfile"]).resolve() == CONTAINERS / "Containerfile"
    if name != "init":
        assert service["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
        assert service["restart"] == "unless-stopped" and service["init"] is True


def test_every_daemon_is_a_service() -> None:
    assert {service["command"][0] for service in SERVICES.values()} == {*DAEMONS, "park"}


def test_what_answers_requests_is_asked_whether_it_does() -> None:
    checked = {name: service["healthcheck"]["test"] for name, service in SERVICES.items() if "healthcheck" in service}
    assert set(checked) == {"web", "datad"}
    for test in checked.values():
        assert test[:4] == ["CMD", "python", "-m", "park_spool.system.answering"]
        assert re.fullmatch(r"http://127\.0\.0\.1:540[01]/\S*", test[4])
    assert (ROOT / "web" / "static" / "park.css").is_file()


def test_the_image_has_what_the_wheel_is_made_of_and_a_command_that_is_there() -> None:
    instructions = re.findall(r"^([A-Z]+) ((?:.*\\\n)*.*)$", CONTAINERFILE, re.MULTILINE)
    copied = {words.split()[0] for name, words in instructions if name == "COPY" and "--from" not in words}
    assert copied == {"pyproject.toml", "park_spool", "datacenter", "web", "services"}
    for name, words in instructions:
        if name == "COPY" and "--from" not in words:
            assert all((ROOT / word).exists() for word in words.split()[:-1])
    (command,) = [words for name, words in instructions if name == "CMD"]
    parse(json.loads(command))
    users = [words for name, words in instructions if name == "USER"]
    assert users == ["$UID:$GID"], "not root"
    assert ("VOLUME", "/spool") in instructions and ("ENV", "PARK_SPOOL=/spool") in instructions


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_a_health_check_takes_any_answer_but_a_failure() -> None:
    with HTTPServer(("127.0.0.1", 0), _Answering) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{answering.server_port}"
        assert [failure(f"{url}/{status}") for status in (200, 401, 404)] == [None] * 3
        assert failure(f"{url}/503") == f"{url}/503 answers 503 Service Unavailable"
        command = [sys.executable, "-m", "park_spool.system.answering"]
        assert subprocess.run([*command, f"{url}/401"], timeout=60).returncode == 0
        answering.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "does not answer" in str(failure(f"http://127.0.0.1:{port}/"))
    done = subprocess.run([*command, ""], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "does not answer" in done.stderr
