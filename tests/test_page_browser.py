"""The page in a real browser, over real daemons: what a scientist does with it."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from page_site import BEST, PageSite, demo_text
from playwright.sync_api import expect
from signed_in import PASSWORD

from park_spool.accounts.roles import Role

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MINUTE = 60_000
SLOW = """<session><group name='slow'><task cmd='tester/slow'/>
 <joblist cnt='400'><input seconds='0.2'/></joblist></group></session>"""
FAILING = """<session><group name='what fails'><task cmd='tester/fail'/>
 <joblist><input status='3' stderr='no such file'/></joblist></group></session>"""
MAGIC = {"PNG": b"\x89PNG\r\n", "SVG": b"<?xml", "PDF": b"%PDF-", "CSV": b"Q", "ORSO .ort": b"# # ORSO"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    with PageSite(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def fitted(site: PageSite) -> str:
    """A session that is done, with the best fit."""
    sid = site.submit_demo(10)
    site.wait_closed(sid)
    return sid


def state(page: Page) -> Locator:
    return page.locator("h1 .state")


def test_chi_square_falls_live(site: PageSite, page: Page, record_property: Callable[[str, object], None]) -> None:
    site.log_in(page)
    site.open(page)
    page.evaluate("document.querySelector('h1').isSame = true")
    sid = site.submit_demo(12)
    row = page.locator(f"tr[id='{sid}']")
    expect(row).to_be_visible(timeout=MINUTE)
    lags = watched(site, page, sid, row)
    expect(row).to_contain_text("12 of 12")
    expect(row).to_contain_text("done", timeout=MINUTE)
    expect(row.locator("svg.spark polyline")).to_have_count(1)
    assert page.evaluate("document.querySelector('h1').isSame"), "the page was loaded again"
    told = f"seconds from the archive to the page: {', '.join(f'{lag:.2f}' for lag in lags)}"
    record_property("lag", told)
    print(told)
    row.get_by_role("link").first.click()
    expect(page.locator(".facts .first dd").first).to_have_text(BEST)


def watched(site: PageSite, page: Page, sid: str, row: Locator) -> list[float]:
    """Watch chi-square fall to the best; return how long after the archive the page had each value."""
    kept: dict[str, float] = {}
    seen: dict[str, float] = {}
    end = time.monotonic() + 90
    while BEST not in seen:
        assert time.monotonic() < end, f"the page never showed {BEST}: {seen}"
        for (chisq,) in site.query("SELECT min(chisq) FROM jobs WHERE sid = ? AND status = 'ok'", sid):
            kept.setdefault("" if chisq is None else f"{chisq:.2f}", time.monotonic())
        shown = row.inner_text()
        for text in kept:
            if text and text in shown:
                seen.setdefault(text, time.monotonic())
        page.wait_for_timeout(20)
    return [seen[text] - kept[text] for text in seen]


def test_a_figure_is_zoomed_and_saved(site: PageSite, fitted: str, page: Page) -> None:
    site.log_in(page)
    site.open(page, f"/sessions/{fitted}")
    figure = page.locator("figure#fit-1")
    reset = figure.get_by_role("button", name="Reset")
    canvas = figure.locator("canvas").first
    expect(canvas).to_be_visible()
    expect(reset).to_be_disabled()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6, steps=5)
    page.mouse.up()
    expect(reset).to_be_enabled()
    for label, magic in MAGIC.items():
        data, name = saved(page, figure, label)
        assert data.startswith(magic) and name.startswith(fitted), f"{label}: {name}"
        if label == "CSV":
            rows = list(csv.reader(io.StringIO(data.decode())))
            assert len(rows) == 409 and float(rows[1][0]) > 0
        if label == "SVG":
            assert b"</svg>" in data and b"<script" not in data
        if label == "ORSO .ort":
            assert len([line for line in data.splitlines() if not line.startswith(b"#")]) == 408


def saved(page: Page, figure: Locator, label: str) -> tuple[bytes, str]:
    """Save a figure by its menu; return what was saved, and the name that is offered for it."""
    link = figure.get_by_role("link", name=label, exact=True)
    if not link.is_visible():
        figure.locator("summary").click()
    with page.expect_download() as waited:
        link.click()
    return Path(waited.value.path()).read_bytes(), waited.value.suggested_filename


def test_an_earlier_fit_is_gone_back_to_and_compared(site: PageSite, fitted: str, page: Page) -> None:
    site.log_in(page)
    site.open(page, f"/sessions/{fitted}")
    with page.expect_response("**/parts/sessions/**"):  # it stays open when the page looks for news
        page.get_by_text("Earlier good fits").click()
    page.get_by_role("link", name="beside the best").first.click()
    page.wait_for_url("**/compare**")
    expect(page.locator("figure canvas").first).to_be_visible()
    expect(page.get_by_role("row", name="χ²", exact=False).first).to_contain_text(BEST)
    expect(page.get_by_role("region", name="Side by side")).to_contain_text("σ")


def test_a_text_with_an_error_is_mended_and_sent(site: PageSite, page: Page, tmp_path: Path) -> None:
    site.log_in(page)
    path = tmp_path / "film.xml"
    path.write_text(demo_text(3).replace("reflectivity/fit", "reflectivity/fitt"))
    line = 1 + path.read_text()[: path.read_text().index("<task")].count("\n")
    site.open(page, "/submit")
    page.set_input_files("#session", path)
    expect(page.locator("#verdict")).to_contain_text(f"line {line}")
    expect(page.locator(f"#verdict li.marked[data-line='{line}']")).to_contain_text("reflectivity/fitt")
    page.fill("#xml", page.input_value("#xml").replace("fitt", "fit"))
    expect(page.locator("#verdict")).to_contain_text("It would be admitted")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/sessions/2*")
    expect(state(page)).to_have_text("done", timeout=MINUTE)
    expect(page.locator("figure#fit-1 canvas").first).to_be_visible()


def test_the_demo_is_sent_by_a_click_and_cancelled(site: PageSite, page: Page) -> None:
    site.log_in(page)
    site.open(page, "/?text=nothing-like-this")
    expect(page.locator("main")).to_contain_text("No session is like that")
    site.open(page, "/submit")
    page.get_by_role("button", name="Send the demo").click()
    page.wait_for_url("**/sessions/2*")
    expect(state(page)).to_have_text("running", timeout=MINUTE)
    page.get_by_role("link", name="Cancel…").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the session").click()
    expect(state(page)).to_have_text("cancelled", timeout=MINUTE)


def test_a_session_is_paused_resumed_hurried_cancelled_and_deleted(site: PageSite, page: Page) -> None:
    site.log_in(page)
    sid = site.submit_text("slow.xml", SLOW)
    site.open(page, f"/sessions/{sid}")
    expect(state(page)).to_have_text("running", timeout=MINUTE)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#said")).to_contain_text("is paused")
    expect(state(page)).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(state(page)).to_have_text("running")
    page.get_by_label("Priority").fill("7")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator(".sub").first).to_contain_text("priority 7")
    page.get_by_role("link", name="Cancel…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Let it run")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("link", name="Cancel…").click()
    dialog.get_by_role("button", name="Cancel the session").click()
    expect(state(page)).to_have_text("cancelled", timeout=MINUTE)
    page.get_by_role("link", name="Delete…").click()
    # In the dialog, or on the page that asks the same where the dialog had not come yet.
    page.get_by_role("button", name="Delete the session").click()
    page.wait_for_url(site.address + "/")
    expect(page.locator(f"tr[id='{sid}']")).to_have_count(0, timeout=MINUTE)
    site.open(page, "/?state=deleted")
    expect(page.locator(f"tr[id='{sid}'] .state")).to_have_text("deleted")


def test_a_job_that_failed_says_why_and_is_run_again(site: PageSite, page: Page) -> None:
    site.log_in(page)
    sid = site.submit_text("failing.xml", FAILING)
    site.open(page, f"/sessions/{sid}")
    expect(state(page)).to_have_text("failed", timeout=MINUTE)
    expect(page.get_by_role("region", name="Jobs that failed")).to_contain_text("status 3")
    page.get_by_role("link", name="1.1.1").first.click()
    expect(page.locator("main")).to_contain_text("no such file")
    page.get_by_role("button", name="Run it again").click()
    expect(page.locator(".sub").first).to_contain_text("run again 1 time", timeout=MINUTE)


def test_a_session_is_sent_again_from_its_best_fit(site: PageSite, fitted: str, page: Page) -> None:
    site.log_in(page)
    site.open(page, f"/sessions/{fitted}")
    page.get_by_role("link", name="Resubmit…").click()
    page.get_by_label("Start from").select_option("best")
    page.get_by_role("button", name="Send it").click()
    page.wait_for_url(lambda url: "/sessions/2" in url and fitted not in url)
    expect(page.locator(".facts .first dd").first).to_have_text(BEST, timeout=MINUTE)


def test_everything_is_done_by_keyboard(site: PageSite, page: Page) -> None:
    with suppress(ValueError), site.accounts() as accounts:
        accounts.add_user("keys", Role.SUBMITTER, PASSWORD)
    site.open(page)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("keys")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(site.address + "/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    go_to(page, page.get_by_role("link", name="Submit", exact=True))
    page.wait_for_url("**/submit")
    go_to(page, page.get_by_role("link", name="tester/chisq"))
    page.wait_for_url("**/submit/form**")
    tab_to(page, page.locator('[name="in.x"]'))
    page.keyboard.type("2.5")
    go_to(page, page.locator("#form button.primary"))
    page.wait_for_url("**/sessions/2*")
    expect(state(page)).to_have_text("done", timeout=MINUTE)
    go_to(page, page.get_by_role("link", name="Delete…"))
    go_to(page, page.get_by_role("button", name="Delete the session"))
    page.wait_for_url(site.address + "/")
    go_to(page, page.get_by_role("button", name="Log out"))
    expect(page.get_by_label("Password")).to_be_visible()


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(150):
        if wanted.evaluate("(it) => it === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tabulator never came to {wanted}")


def go_to(page: Page, wanted: Locator) -> None:
    tab_to(page, wanted)
    page.keyboard.press("Enter")
