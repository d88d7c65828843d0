"""The page in a real browser, where every name, text and file is meant as an attack: all of it shows as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from browser import expecting
from hostile_site import LINK, LOG, NAME, NODE, SHOUT, USER, hostile_site
from page_site import PageSite
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

# What a page must never hold, whatever was sent: our own scripts are files, and our pages have no such attribute.
MADE_OF_TEXT = """() => [
  ...document.querySelectorAll('main script, main iframe, main object, main embed, main base, main link, main style'),
  ...[...document.querySelectorAll('*')].filter((it) => [...it.attributes].some(({name, value}) =>
    /^on/.test(name) || name === 'style' && !it.closest('figure.chart') || /^\\s*(javascript|vbscript):/i.test(value)
      && ['href', 'src', 'action', 'formaction', 'xlink:href', 'data-part', 'data-src'].includes(name))),
  ...[...document.querySelectorAll('main img')].filter((it) => new URL(it.src).pathname.split('/').pop() === 'x'),
].map((it) => it.outerHTML.slice(0, 200))"""
SHOWN = {
    "/": NAME,
    "/sessions/{sid}": NAME,
    "/sessions/{sid}/jobs": NAME,
    "/sessions/{sid}/jobs/1.1.1": NAME,
    "/sessions/{sid}/jobs/1.1.2": NAME,
    "/sessions/{sid}/groups/2": NAME,
    "/sessions/{sid}/messages": "onerror=alert(1)",
    "/sessions/{sid}/xml": SHOUT,
    "/sessions/{sid}/provenance": NAME,
    "/compare?fit={sid}:1.1.1&fit={sid}:2": NAME,
    "/nodes": NAME,
    "/nodes/" + NODE: SHOUT,
    "/messages": "onerror=alert(1)",
    "/logs/" + LOG: NAME,
    "/submit": NAME,
    "/submit/form?cmd=evil/fit": NAME,
    "/users": USER,
    "/audit": LINK,
}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PageSite, str]]:
    with hostile_site(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture
def dialogs(page: Page) -> list[str]:
    """What alert() and its like said."""
    said: list[str] = []

    def heard(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", heard)
    return said


def test_what_was_sent_shows_as_text(attacked: tuple[PageSite, str], page: Page, dialogs: list[str]) -> None:
    site, sid = attacked
    site.log_in(page)
    wrong = []
    for path, text in SHOWN.items():
        site.open(page, path.format(sid=sid))
        expect(page.locator("main h1")).to_be_visible()
        for figure in page.locator("figure.chart:visible").all():
            expect(figure.locator("canvas, .chart-read").first).to_be_attached()
        if text not in (page.locator("main").text_content() or ""):
            wrong.append(f"{path} does not show it as it is")
        wrong += [f"{path}: {made}" for made in page.evaluate(MADE_OF_TEXT)]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            wrong.append(f"{path} is {wide} pixels too wide")
        assert page.url.startswith(site.address), path
    assert wrong == [] and dialogs == []


def test_what_is_asked_for_shows_as_text(attacked: tuple[PageSite, str], page: Page, dialogs: list[str]) -> None:
    site, sid = attacked
    expecting(page, "400", "404")
    site.log_in(page)
    for path in (
        "/?text={}",
        "/?user={}",
        "/?sort={}",
        "/messages?text={}",
        "/compare?fit={}",
        "/audit?user={}",
        "/logs/{}",
        "/nodes/{}",
        "/sessions/{}",
        "/submit/form?cmd={}",
        "/login?next={}",
        f"/sessions/{sid}/jobs?text={{}}",
        f"/sessions/{sid}/jobs?state={{}}",
        f"/sessions/{sid}/jobs/{{}}",
    ):
        for text in (NAME, LINK, f"//{LINK}"):
            page.goto(site.address + path.format(page.evaluate("encodeURIComponent", text)))
            assert page.evaluate(MADE_OF_TEXT) == [], path
            assert page.url.startswith(site.address), path
    assert dialogs == []


def test_a_text_that_is_checked_shows_as_text(attacked: tuple[PageSite, str], page: Page, dialogs: list[str]) -> None:
    expecting(page, "422")
    site, _ = attacked
    site.log_in(page)
    site.open(page, "/submit")
    page.fill(
        "#xml",
        f"<session><!-- {SHOUT} -->\n<group name='\"onload=alert(1)'><task cmd='{SHOUT[1:8]}'/></group></session>",
    )
    expect(page.locator("#verdict")).to_contain_text("It would be rejected")
    expect(page.locator("#verdict .listing")).to_contain_text(SHOUT)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#verdict .listing")).to_contain_text(SHOUT)
    assert page.evaluate(MADE_OF_TEXT) == [] and dialogs == []


def test_what_is_saved_is_saved_and_never_opened(attacked: tuple[PageSite, str], page: Page) -> None:
    site, sid = attacked
    site.log_in(page)
    kinds = [f"groups/1/best.{kind}" for kind in ("svg", "csv", "png", "pdf")]
    for path in (*kinds, "groups/1/history.svg", "report.html", "session.xml", "answer.zip"):
        answer = page.request.get(f"{site.address}/sessions/{sid}/{path}")
        assert answer.ok, path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and answer.headers["x-content-type-options"] == "nosniff", path
        if path.endswith(("svg", "html")):
            assert b"<script>alert" not in answer.body() and b"<img src=x" not in answer.body(), path
