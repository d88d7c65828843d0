"""A spool on which real sessions ran, for the API: a fit, a map and failures, a batch, and some to be changed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from daemons import Site, until
from filelock import FileLock
from flask import Flask
from flask.testing import FlaskClient
from park_spool.web.app import create_app

from park_spool import config
from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.config import Config

FILM = "20261123-025532-fi1m"
BATCH = "20261123-025533-bat2"
WAITING = tuple(f"20261123-0256{number:02}-wait" for number in range(8))  # to be changed, nobody runs them
FIT = """
 <group name='film in D2O'>
  <dataSet><data name='film' href='package:refnx/analysis/tests/c_PLP0011859_q.txt'/></dataSet>
  <reduce classname='Chisq'/><task cmd='reflectivity/fit'/>
  <joblist name='starts'><scan><axis name='seed' start='26' stop='28' count='3'/></scan></joblist>
 </group>"""
MAP = """
 <group name='map'>
  <reduce classname='ChisqMap'/><task cmd='tester/chisq'/>
  <joblist name='grid'>
   <scan><axis name='x' start='1' stop='5' count='5'/><axis name='y' start='-2' stop='1' count='4'/></scan>
  </joblist>
 </group>"""
FAILING = """
 <group name='what fails'>
  <task cmd='tester/fail'/><joblist name='both'><input status='3' stderr='no such file'/><input signal='SEGV'/></joblist>
 </group>"""
DATA = """
 <group name='two frames'>
  <reduce classname='Batch'/><task cmd='reflectivity/fit'/>
  <joblist name='frames'>
   <input seed='1'><data name='film' href='package:refnx/analysis/tests/e361r.txt'/></input>
   <input seed='1'><data name='film' href='package:refnx/analysis/tests/e366r.txt'/></input>
  </joblist>
 </group>"""
NOOP = "<group name='later'><task cmd='tester/noop'/><joblist name='jobs' cnt='4'><input/></joblist></group>"


def session(*groups: str) -> str:
    return f"<session user='wwchen' priority='0'>{''.join(groups)}\n</session>"


@dataclass
class Api:
    """The application over a spool, and keys to it: a token for each role."""

    settings: Config
    app: Flask
    accounts: Accounts
    tokens: dict[str, str]

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def bearer(self, who: str = "administrator") -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"}

    def get(self, path: str, who: str = "administrator", status: int = 200) -> Any:
        answer = self.client.get(f"/api/v1{path}", headers=self.bearer(who))
        assert answer.status_code == status, answer.text
        assert answer.mimetype == "application/json"
        return answer.json

    def post(self, path: str, body: object = None, who: str = "administrator", status: int = 200) -> Any:
        return self.ask("POST", path, who, status, data=json.dumps(body or {}), content_type="application/json")

    def ask(self, method: str, path: str, who: str, status: int, **more: Any) -> Any:
        answer = self.client.open(f"/api/v1{path}", method=method, headers=self.bearer(who), **more)
        assert answer.status_code == status, answer.text
        return answer.json if answer.data else None


def open_api(settings: Config) -> Api:
    """Open the page of a spool for a user of each role; `wei` and `anna` are two submitters."""
    accounts = Accounts.open(settings.page_accounts)
    roles = {str(role): role for role in Role if role is not Role.NOBODY} | {
        "wei": Role.SUBMITTER,
        "anna": Role.SUBMITTER,
    }
    for name, role in roles.items():
        if accounts.user(name) is None:  # another process may have been here
            accounts.add_user(name, role)
    tokens = {name: accounts.make_token(name, "test")[0] for name in roles}
    return Api(settings, create_app(settings, accounts), accounts, tokens)


def fill(root: Path) -> Config:
    """Run the sessions on real daemons, which are gone then; what waits is admitted, and does not run."""
    with Site(root, max_attempts=1) as site:
        site.drop_text(f"{FILM}.film.xml", session(FIT, MAP, FAILING))
        site.drop_text(f"{BATCH}.frames.xml", session(DATA))
        until(lambda: site.closed() == 2, 60, "the sessions")
        until(lambda: sorted(site.states().values()) == ["done", "failed"], 20, "the archive")
        site.processes["noded"].terminate()
        site.processes["noded"].wait(20)
        for sid in WAITING:
            site.drop_text(f"{sid}.later.xml", session(NOOP))
        until(lambda: site.query("SELECT count(*) FROM sessions") == [(2 + len(WAITING),)], 30, "what waits")
        return site.config


def shared(factory: pytest.TempPathFactory, name: str) -> Config:
    """Fill a spool once for all processes of this run of pytest."""
    root = factory.getbasetemp()
    root = (root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root) / name
    with FileLock(f"{root}.lock"):
        if not root.exists():
            root.mkdir()
            fill(root)
        return config.load(root / "spool")
