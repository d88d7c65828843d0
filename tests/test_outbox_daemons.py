"""The outbox with real daemons: fits of a measured curve delivered, told by mail; park-reduced killed while it delivers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from answered import files
from daemons import Site, until
from listening import Keeper, mail_server
from reflectivity_service import QUICK_SEED

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
SETTINGS = 'smtp = "{}"\nsmtp_security = "none"\nnotify = ["started", "done"]\n'


STARTS = "<axis name='seed' start='1' stop='48' count='48'/>"


def fits(*seeds: int) -> str:
    xml = (EXAMPLES / "reflectivity.xml").read_text(encoding="utf-8")
    assert STARTS in xml
    return xml.replace(STARTS, f"<axis name='seed' values='{' '.join(map(str, seeds))}'/>")


def outbox(site: Site) -> list[str]:
    return sorted(os.listdir(site.spool / "outbox"))


def told(site: Site) -> list[str]:
    return [what for (what,) in site.query("SELECT what FROM events ORDER BY at")]


def configure(site: Site, text: str) -> None:
    with (site.spool / "park.toml").open("a") as settings:
        settings.write(text)


def test_fits_are_delivered_and_their_user_is_told(tmp_path: Path, needs: Callable[[str], str]) -> None:
    needs("refnx")
    keeper, site = Keeper(), Site(tmp_path)
    with mail_server(keeper) as place:
        configure(site, SETTINGS.format(place))
        with site:
            site.drop_text("film.xml", fits(9, QUICK_SEED))
            until(lambda: outbox(site) and len(told(site)) == 3, 120, "delivery and mails")
            site.assert_running()
            site.assert_legal()
    [sid] = outbox(site)
    assert [str(mail["Subject"]).partition(",")[0] for mail in keeper.messages] == [
        "film.xml: started",
        "film.xml: done",
    ]
    folder = site.spool / "outbox" / sid
    [best] = json.loads((folder / "best.json").read_text())
    assert best["chisq"] == pytest.approx(966.19, abs=0.05)
    assert {"curves/fit-1.ort", "plots/profile-1.pdf", "report.html"} < set(files(folder))
    assert site.query("SELECT edition, name FROM deliveries WHERE sid = ?", sid) == [(1, sid)]
    assert told(site) == ["admitted", "told started", "told done"]


def test_killed_while_it_delivers(tmp_path: Path, needs: Callable[[str], str]) -> None:
    """The child goes with park-reduced; what it had begun is in nobody's way, and the answer is delivered once."""
    needs("refnx")
    with Site(tmp_path) as site:
        site.drop_text("film.xml", fits(QUICK_SEED))
        until(lambda: list((site.spool / "tmp").glob("*.outbox.*/plots/*")), 120, "a delivery that has begun")
        site.kill("reduced")
        assert outbox(site) == []
        site.start("reduced")
        until(lambda: outbox(site), 120, "the delivery")
        [sid] = outbox(site)
        until(lambda: site.query("SELECT 1 FROM deliveries"), 30, "the record of the delivery")
        assert {"summary.json", "report.html"} < set(files(site.spool / "outbox" / sid))
        site.assert_running()
        site.assert_legal()
