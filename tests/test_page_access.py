"""The page in a real browser: who is let in and how, what is refused, and that every page suits phones and screen readers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import pytest
from api_site import DATA, FAILING, FIT, MAP, session
from axe_playwright_python.sync_playwright import Axe
from browser import WAIT_MS, expecting, watch
from page_site import PageSite
from playwright.sync_api import expect
from signed_in import PASSWORD

from park_spool.accounts.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Theme = Literal["light", "dark"]
PHONE = 360
PAGES = (
    "/",
    "/?text=nothing-like-this",
    "/sessions/{sid}",
    "/sessions/{sid}/jobs",
    "/sessions/{sid}/jobs?state=bad",
    "/sessions/{sid}/jobs/1.1.1",
    "/sessions/{sid}/jobs/4.1.1",
    "/sessions/{sid}/groups/3",
    "/sessions/{sid}/messages",
    "/sessions/{sid}/xml",
    "/sessions/{sid}/provenance",
    "/sessions/{sid}/confirm/delete",
    "/sessions/{sid}/confirm/resubmit",
    "/compare",
    "/compare?fit={sid}&fit={sid}:1.1.1&fit={sid}:3",
    "/nodes",
    "/nodes/{node}",
    "/messages",
    "/logs",
    "/logs/{log}",
    "/submit",
    "/submit/form?cmd=reflectivity/fit",
    "/submit/form?cmd=tester/fail",
    "/help",
    "/account",
    "/users",
    "/audit",
    "/sessions/20200101-000000-none",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    with PageSite(tmp_path_factory.mktemp("site"), page_private="true") as site:
        yield site


@pytest.fixture(scope="module")
def full(site: PageSite) -> str:
    """A session with a fit, a map, a batch and failures, of anna."""
    sid = site.submit_text("everything.xml", session(FIT, MAP, DATA, FAILING), "anna")
    site.wait_closed(sid)
    return sid


@pytest.fixture
def out(site: PageSite, page: Page) -> Page:
    """A browser that is not logged in, at a page with users: anna and bert, submitters; a first link is used up by it."""
    with closing(site.accounts()) as accounts:
        for name in ("anna", "bert"):
            if accounts.user(name) is None:
                accounts.add_user(name, Role.SUBMITTER, PASSWORD)
    return page


def test_the_first_one_is_let_in_by_the_printed_link_and_makes_users(site: PageSite, page: Page) -> None:
    link = site.printed_link()
    page.goto(link)
    page.get_by_role("button", name="Open the page").click()
    page.wait_for_url(site.address + "/")
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    page.get_by_role("link", name="Users").click()
    page.get_by_label("Name", exact=True).fill("clara")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("rowheader", name="clara")).to_be_visible()
    page.get_by_role("button", name="Log out").first.click()
    expecting(page, "410")
    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Name").fill("clara")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(site.address + "/")


def test_name_and_password_let_in_and_lead_on_and_out(site: PageSite, full: str, out: Page) -> None:
    expecting(out, "403")
    out.goto(f"{site.address}/sessions/{full}")
    out.wait_for_url("**/login?next=**")
    out.get_by_label("Name").fill("anna")
    out.get_by_label("Password").fill("a wrong one")
    out.get_by_role("button", name="Log in").click()
    expect(out.get_by_role("alert")).to_be_visible()
    expect(out.get_by_label("Name")).to_have_value("anna")
    out.get_by_label("Password").fill(PASSWORD)
    out.get_by_role("button", name="Log in").click()
    out.wait_for_url(f"**/sessions/{full}")
    expect(out.get_by_role("link", name="Delete…")).to_be_visible()
    out.get_by_role("button", name="Log out").click()
    out.goto(f"{site.address}/sessions/{full}")
    out.wait_for_url("**/login?next=**")


def test_another_s_session_is_not_there_where_the_page_is_private(site: PageSite, full: str, out: Page) -> None:
    expecting(out, "403", "404")
    site.log_in(out, Role.SUBMITTER, "bert")
    site.open(out)
    expect(out.get_by_role("heading", name="No session yet")).to_be_visible()
    expect(out.get_by_role("button", name="Send the demo")).to_be_visible()
    for path in (f"/sessions/{full}", f"/sessions/{full}/xml", f"/sessions/{full}/jobs/1.1.1", f"/compare?fit={full}"):
        answer = out.goto(site.address + path)
        assert answer is not None and answer.status in (403, 404), path
        assert "film in D2O" not in out.content()
    answer = out.request.get(f"{site.address}/api/v1/sessions/{full}")
    assert answer.status in (403, 404)
    for verb in ("cancel", "delete", "pause", "resubmit"):
        site.open(out)
        assert posted(out, f"/sessions/{full}/{verb}") in (403, 404), verb
    assert site.query("SELECT state FROM sessions WHERE sid = ?", full) == [("failed",)]


def posted(page: Page, path: str) -> int:
    """Post as the page's own scripts would, with the token of who is logged in; return the status."""
    script = """async (path) => {
      const token = JSON.parse(document.body.getAttribute('hx-headers:inherited'))['X-CSRF-Token'];
      return (await fetch(path, {method: 'POST', headers: {'X-CSRF-Token': token}})).status;
    }"""
    return int(page.evaluate(script, path))


def test_the_theme_that_is_chosen_comes_with_every_page(site: PageSite, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.address + "/login")
    root = page.locator("html")
    expect(root).not_to_have_attribute("data-theme", re.compile("."))
    for chosen in ("dark", "light"):
        page.get_by_role("button", name="Change to dark or light").click()
        page.reload()
        expect(root).to_have_attribute("data-theme", chosen)


def test_who_may_only_look_is_offered_nothing_else(site: PageSite, full: str, out: Page) -> None:
    expecting(out, "403", "404")
    site.log_in(out, Role.VIEWER, "vera")
    site.open(out)
    for name in ("Submit", "Logs", "Users", "Record"):
        expect(out.get_by_role("link", name=name, exact=True)).to_have_count(0)
    for path in ("/submit", "/submit/form?cmd=tester/noop", "/users", "/audit", "/logs", f"/sessions/{full}"):
        answer = out.goto(site.address + path)
        assert answer is not None and answer.status in (403, 404), path
        expect(out.locator("main h1")).to_be_visible()
    site.open(out)
    assert posted(out, "/submit") == 403 and posted(out, f"/sessions/{full}/delete") in (403, 404)


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.prove)])
def test_every_page_fits_a_phone_and_axe_finds_nothing(
    site: PageSite, full: str, browser: Browser, theme: Theme
) -> None:
    context = phone(browser, theme)
    complaints = watch(context)
    complaints.expected.extend(("404", "410"))
    page = context.new_page()
    wrong = check(site, page, "/login", {})
    site.log_in(page)
    with closing(site.accounts()) as accounts:
        link = accounts.make_link("administrator")
    (node,) = {path.name.split(".")[0] for path in (site.spool / "nodes").glob("*.json")}
    log = next(path.name for path in (site.spool / "logs").iterdir() if path.name.endswith(".log"))
    known = {"sid": full, "node": node, "log": log}
    for path in (*PAGES, f"/login?link={link}"):
        wrong += check(site, page, path, known)
    context.close()
    assert wrong == [] and complaints.unexpected() == []


def phone(browser: Browser, theme: Theme) -> BrowserContext:
    """Give a phone. Axe comes into a page as an inline script, which the page's policy forbids: here it is not asked."""
    size = {"width": PHONE, "height": 740}
    context = browser.new_context(viewport=size, is_mobile=True, has_touch=True, color_scheme=theme, bypass_csp=True)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_MS)
    return context


def check(site: PageSite, page: Page, path: str, known: dict[str, str]) -> list[str]:
    """Say what is wrong with a page."""
    path = path.format(**known)
    site.open(page, path)
    expect(page.locator("main h1")).to_be_visible()
    for figure in page.locator("figure.chart:visible").all():
        expect(figure.locator("canvas, .chart-read").first).to_be_attached()
    wide = page.evaluate("document.documentElement.scrollWidth")
    told = [f"{path} is {wide} pixels wide"] if wide > PHONE else []
    found = Axe().run(page).response
    assert len(found["passes"]) > 10, "axe did not look"
    for one in found["violations"]:
        told.append(f"{path}: {one['impact']} {one['id']}: {one['nodes'][0]['html'][:160]}")
    return told
