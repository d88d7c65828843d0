"""What the page sends runs on real daemons: it is its user's, is retried, and goes on from its best fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from daemons import Site, until
from submitting import ME, Desk, at

FAILING = """<session>
 <group name='g'><reduce classname='Chisq'/><task cmd='tester/chisq'/>
  <joblist><input x='1' y='2'/><input x='3' y='-1'/></joblist></group>
 <group name='h'><task cmd='tester/fail'/><joblist><input status='3'/></joblist></group>
</session>
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, max_attempts=1)


def is_closed(desk: Desk, sid: str) -> bool:
    return desk.settings.layout.closed_session(sid).is_dir()


def archived(site: Site, sid: str) -> tuple[str, str] | None:
    """Return user and state as the archive has them."""
    rows = site.query("select user, state from sessions where sid = ?", sid)
    return (rows[0][0], rows[0][1]) if rows else None


def test_from_the_page_to_the_archive_and_on(site: Site) -> None:
    with site:
        desk = at(site.spool)
        sid = desk.sent(desk.post("/submit", {"xml": FAILING}))
        until(lambda: archived(site, sid) == (ME, "failed") and is_closed(desk, sid), 60, "the end of the session")
        may = desk.client.get(f"/parts/sessions/{sid}/head").text
        assert "Retry 1 failed job" in may
        assert "Pause" not in may
        answer = desk.post(f"/sessions/{sid}/retry", HX_Request="true")
        assert "1 job will be run again, in round 1; the session is open again" in answer.text
        until(lambda: is_closed(desk, sid), 60, "the end of the retry")
        assert desk.post(f"/sessions/{sid}/retry", {"job": "1.1.1"}).status_code in (404, 409)
        fresh = desk.sent(desk.post(f"/sessions/{sid}/resubmit", {"from": "1.1.2", "changes": "weight = 2"}))
        until(lambda: (archived(site, fresh) or ("",))[0] == ME and is_closed(desk, fresh), 60, "the new session")
        text = site.query("select xml from sessions where sid = ?", fresh)[0][0]
        assert 'weight="2"' in (text.decode() if isinstance(text, bytes) else text)
        assert desk.post(f"/sessions/{fresh}/delete").status_code == 303
        until(lambda: desk.settings.layout.tombstone(fresh).exists(), 60, "the tombstone")
        site.assert_running()
