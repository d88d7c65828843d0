"""The page behind nginx, set up as docs/web.md says: who it is, their address and https come from the proxy."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemons import until

from park_spool import config
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.cli.serving import choose_port

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "web.md"
NAME = "park.example.org"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    config.make_spool(tmp_path / "spool")
    (toml,) = re.findall(r"```toml\n(page_names.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "spool" / "park.toml").write_text(toml, encoding="utf-8")
    return tmp_path / "spool"


@pytest.fixture
def page(spool: Path) -> Iterator[int]:
    """Run park-web; give its port."""
    port = choose_port("127.0.0.1", 0)
    command = [sys.executable, "-m", "park_spool.web.server", "--spool", str(spool), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None and "the page is at" in process.stderr.readline()
            yield port
        finally:
            process.kill()


@pytest.fixture
def proxy(page: int, tmp_path: Path) -> Iterator[int]:
    """Run nginx with the document's own text, but for ports and files; give its port."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if (nginx is None or shutil.which("openssl") is None) and not os.environ.get("CI"):
        pytest.skip("no nginx or openssl here")
    assert nginx is not None, "CI must try the page behind nginx: install nginx-light"
    port = choose_port("127.0.0.1", 0)
    key, certificate, passwords = (tmp_path / name for name in ("key.pem", "certificate.pem", "passwords"))
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    passwords.write_text("anna:{PLAIN}secret\nwei:{PLAIN}secret\n", encoding="utf-8")
    passwords.chmod(0o644)
    (text,) = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("http://127.0.0.1:5400", f"http://127.0.0.1:{page}"),
        ("/etc/ssl/private/park.example.org.key", str(key)),
        ("/etc/ssl/certs/park.example.org.pem", str(certificate)),
        ("/etc/nginx/park.passwords", str(passwords)),
    ):
        assert old in text, old
        text = text.replace(old, new)
    folders = "".join(
        f"{kind}_temp_path {tmp_path / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = f"daemon off;\nuser root;\npid {tmp_path / 'pid'};\nerror_log {tmp_path / 'error.log'};\nevents {{}}\n"
    if os.geteuid() != 0:
        around = around.replace("user root;\n", "")
    (tmp_path / "nginx.conf").write_text(f"{around}http {{\naccess_log off;\n{folders}{text}}}\n", encoding="utf-8")
    with subprocess.Popen([nginx, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log"]) as process:
        try:
            until(lambda: answers(port), 30, "nginx")
            yield port
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        ask(port, "/health")
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def ask(port: int, path: str, data: bytes | None = None, **headers: str) -> tuple[str, str]:
    """Return the address that answered in the end, and what it said."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    told = {"Host": NAME, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", data, told)
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        return answer.url, answer.read().decode()


def basic(name: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:secret'.encode()).decode()}"


def test_nginx_says_who_it_is_and_what_it_is_told_by_others_is_not_believed(spool: Path, page: int, proxy: int) -> None:
    with Accounts.open(config.load(spool).page_accounts) as accounts:
        accounts.add_user("anna", Role.ADMINISTRATOR)
        token, _ = accounts.make_token("anna", "scripts", Role.VIEWER)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(proxy, "/")
        assert "/users" in ask(proxy, "/account", Authorization=basic("anna"))[1]
        text = ask(proxy, "/account", Authorization=basic("wei"), X_Remote_User="anna")[1]
        assert "<h1>wei</h1>" in text and "viewer" in text

        csrf = accounts.csrf_of_proxy("anna")
        form = b"name=lea&role=viewer"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(proxy, "/users", form, Authorization=basic("anna"), Origin=f"https://{NAME}")
        told = {"Authorization": basic("anna"), "X_CSRF_Token": csrf, "Origin": f"https://{NAME}"}
        with contextlib.suppress(OSError):  # the answer leads on to https://park.example.org/users, which is not there
            ask(proxy, "/users", form, X_Forwarded_For="192.0.2.1", **told)
        entry = accounts.audit()[0]
        assert (entry.user, entry.via, entry.what, entry.address) == ("anna", "proxy", "added user", "127.0.0.1")

        assert json.loads(ask(proxy, "/health", Authorization=f"Bearer {token}")[1])["page"] == "ok"
        assert "Sessions" in ask(proxy, "/", Authorization=f"Bearer {token}", X_Remote_User="anna")[1]
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(proxy, "/", Authorization="Bearer wrong", X_Remote_User="anna")
