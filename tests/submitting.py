"""A page on a real spool, and what is sent by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from signed_in import client, log_in
from werkzeug.test import TestResponse

from park_spool import admitted, config, senders
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.atomic import Disk
from park_spool.config import Config

ME = "wei"


@dataclass
class Desk:
    """A browser at a spool."""

    settings: Config
    client: FlaskClient

    def post(self, where: str, data: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(where, data=data or {}, headers=named)

    def log_in(self, name: str, role: Role) -> None:
        with Accounts.open(self.settings.page_accounts) as accounts:
            log_in(self.client, accounts, role, name)

    def inbox(self) -> dict[str, Path]:
        return {path.name: path for path in self.settings.layout.inbox.iterdir()}

    def sent(self, answer: TestResponse) -> str:
        """Return the id of the session that was sent by this."""
        assert answer.status_code == 303, answer.text
        match = re.search(r"/sessions/([0-9a-z-]+)$", answer.location)
        assert match, answer.location
        return match[1]

    def submission(self, sid: str) -> Path:
        return next(path for name, path in self.inbox().items() if name.startswith(f"{sid}."))

    def user(self, sid: str) -> str:
        return senders.sender(Disk(self.settings.layout.tmp, "test"), self.submission(sid), self.settings.spool)

    def owner(self, sid: str) -> str:
        return admitted.decode((self.settings.layout.session(sid) / "session.json").read_bytes()).owner


def desk(folder: Path, **told: Any) -> Desk:
    spool = folder / "spool"
    config.make_spool(spool)
    (spool / "park.toml").write_text("".join(f"{key} = {value!r}\n" for key, value in told.items()))
    return at(spool)


def at(spool: Path) -> Desk:
    """Log an administrator in at the page of a spool."""
    settings = config.load(spool)
    return Desk(settings, client(settings, Role.ADMINISTRATOR, ME))
