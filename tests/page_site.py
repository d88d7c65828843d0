"""A real spool with its page for a browser: real daemons, a real park-web, and who is logged in at it."""

from __future__ import annotations

import re
import shlex
import socket
from pathlib import Path
from subprocess import Popen
from typing import TYPE_CHECKING

from daemons import Site, until
from signed_in import cookie

from park_spool import demo, submit
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.config import shipped_services

if TYPE_CHECKING:
    from playwright.sync_api import Page

ALL = ("spoold", "reduced", "noded", "web")
BEST = "966.19"  # of the demo's starts the ninth is the first that comes there


class PageSite(Site):
    """A site whose page is at `address`."""

    def __init__(self, root: Path, *daemons: str, **settings: object) -> None:
        self.root = root
        self.port = free_port()
        super().__init__(root, *(daemons or ALL), port=self.port, **settings)
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> PageSite:
        super().__enter__()
        until(lambda: answers(self.port) and "/login" in self.printed(), 30, "the page, and the link that it prints")
        return self

    def start(self, name: str, *more: str, wrap: tuple[str, ...] = (), label: str = "") -> Popen[bytes]:
        if name == "web" and not wrap:  # what it prints is kept: the link that lets the first one in
            wrap = ("sh", "-c", f'exec "$0" "$@" 2>>{shlex.quote(str(self.root / "web.stderr"))}')
        return super().start(name, *more, wrap=wrap, label=label)

    def printed(self) -> str:
        return (self.root / "web.stderr").read_text()

    def printed_link(self) -> str:
        """Return the address that park-web printed when it started and there was no user."""
        (link,) = re.findall(r"http://\S+/login\?link=\S+", self.printed())
        return str(link)

    def log_in(self, page: Page, role: Role = Role.ADMINISTRATOR, name: str = "") -> None:
        """Let a browser in, as somebody with this role."""
        key, secret = cookie(self.config, self.address, role, name)
        page.context.clear_cookies()
        page.context.add_cookies([{"name": key, "value": secret, "url": self.address}])

    def accounts(self) -> Accounts:
        return Accounts.open(self.config.page_accounts)

    def open(self, page: Page, path: str = "/") -> None:
        page.goto(self.address + path)

    def submit(self, source: Path, user: str | None = None) -> str:
        """Send a session as `park submit` does, or as the page does for a user, and return its id."""
        return submit.send_checked(self.config, submit.read(source), user)

    def submit_text(self, name: str, text: str, user: str | None = None) -> str:
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        return self.submit(path, user)

    def submit_demo(self, starts: int, user: str | None = None) -> str:
        """Send the demo with so many starts, of which each takes half a second."""
        return self.submit_text("demo.xml", demo_text(starts), user)

    def wait_closed(self, sid: str, seconds: float = 90) -> None:
        until(lambda: (self.spool / "sessions" / "closed" / sid).is_dir(), seconds, f"{sid} closed")


def demo_text(starts: int) -> str:
    return demo.with_starts((shipped_services() / "reflectivity" / "demo.xml").read_text(encoding="utf-8"), starts)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as asking:
        asking.settimeout(1)
        return asking.connect_ex(("127.0.0.1", port)) == 0
