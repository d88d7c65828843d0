"""Sending, cancelling and deleting in a true browser, by keyboard alone; and what scripts add to the forms."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import expecting, until
from flask import render_template_string
from park_spool.web.app import create_app
from signed_in import cookie
from submitting import ME, Desk
from test_submit_page import ALONE, FIT
from waitress import create_server, wasyncore
from world import World

from park_spool.accounts.accounts import Accounts
from park_spool.accounts.roles import Role
from park_spool.config import load
from park_spool.looking.choices import Choices
from park_spool.tending.admission import Admission

if TYPE_CHECKING:
    from playwright.sync_api import Page

TRY = """{% extends "frame.html" %}{% from "controls.html" import controls, dialogs with context %}
{% block head %}<script src="/static/dialogs.js" type="module"></script>{% endblock %}
{% block title %}try{% endblock %}{% block content %}<h1>Try</h1>
<div id="controls">{{ controls(sid, may) }}</div>{{ dialogs(sid) }}{% endblock %}"""


@contextmanager
def serving(world: World) -> Iterator[tuple[Desk, str]]:
    """Serve the page of a spool on a free port of loopback until the end."""
    settings = load(world.root)
    with Accounts.open(settings.page_accounts) as accounts:
        app = create_app(settings, accounts)
        may = Choices(cancel=True, pause=True, delete=True, resubmit=True, priority=0)
        app.add_url_rule("/try/<sid>", "try", lambda sid: render_template_string(TRY, sid=sid, may=may))
        sockets: dict[int, Any] = {}
        server = create_server(app, host="127.0.0.1", port=0, map=sockets, threads=8)
        is_over = threading.Event()

        def serve() -> None:
            while not is_over.is_set():
                wasyncore.loop(timeout=1.0, use_poll=True, map=sockets, count=1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Desk(settings, app.test_client()), f"http://127.0.0.1:{server.effective_port}"
        finally:
            is_over.set()
            server.pull_trigger()
            thread.join()
            server.task_dispatcher.shutdown()
            wasyncore.close_all(sockets)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def site(world: World) -> Iterator[tuple[Desk, str]]:
    with serving(world) as found:
        yield found


@pytest.fixture
def here(site: tuple[Desk, str], page: Page) -> str:
    """Log the browser in; return the address of the page."""
    desk, address = site
    name, value = cookie(desk.settings, f"{address}/", Role.ADMINISTRATOR, ME)
    page.context.add_cookies([{"name": name, "value": value, "url": address}])
    return address


def tab_to(page: Page, selector: str) -> None:
    """Go to an element by the tabulator key alone."""
    for _ in range(200):
        if page.evaluate("(selector) => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tabulator never came to {selector}")


def admit(world: World) -> None:
    admission = Admission(world.member())
    for _ in range(10):
        admission.step()
        world.clock.now += 1.0


def test_a_fit_is_filled_in_sent_cancelled_and_deleted_by_keyboard(
    here: str, page: Page, site: tuple[Desk, str], world: World
) -> None:
    expecting(page, "404")  # the archive learns of it by the reducer, which does not run here
    desk, _ = site
    page.goto(f"{here}/submit")
    tab_to(page, 'a[href$="cmd=reflectivity/fit"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/submit/form**")
    tab_to(page, "#data")
    page.keyboard.type("package:refnx/analysis/tests/c_PLP0011859_q.txt")
    tab_to(page, '[name="in.film_thickness_min"]')
    page.keyboard.type("200")
    tab_to(page, '[name="starts"]')
    page.keyboard.type("12")
    until(page, "document.querySelector('#xml-made')?.textContent.includes('film_thickness_min=\"200\"')")
    until(page, "document.querySelector('#xml-made')?.textContent.includes('stop=\"12\"')")
    assert "It would be admitted" in (page.text_content("#preview") or "")
    tab_to(page, "#form button.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sessions/2*")
    sid = page.url.rpartition("/")[2]
    admit(world)
    assert desk.owner(sid) == ME
    for verb in ("cancel", "delete"):
        page.goto(f"{here}/try/{sid}")
        tab_to(page, f'[data-dialog="{verb}-dialog"]')
        page.keyboard.press("Enter")
        assert page.locator(f"#{verb}-dialog").is_visible()
        assert page.evaluate("document.activeElement.hasAttribute('data-close')")
        page.keyboard.press("Escape")
        assert page.locator(f"#{verb}-dialog").is_hidden()
        assert page.evaluate("document.activeElement.dataset.dialog") == f"{verb}-dialog"
        page.keyboard.press("Enter")
        tab_to(page, f"#{verb}-dialog button.danger")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    names = [path.name for path in world.layout.session(sid).iterdir()]
    assert sorted(name.rpartition(".")[2] for name in names if name.startswith("control.")) == ["cancel", "delete"]


def test_a_fault_is_said_while_it_is_typed_and_the_focus_goes_to_it(here: str, page: Page) -> None:
    expecting(page, "422")
    page.goto(f"{here}/submit/form?cmd=reflectivity/fit")
    page.fill('[name="in.scale"]', "much")
    until(page, "document.querySelector('#preview').textContent.includes('must be a finite number')")
    page.click("#form button.primary")
    page.wait_for_load_state()
    assert page.evaluate("document.activeElement.id") == "in.scale"
    assert page.get_attribute("#in\\.scale", "aria-invalid") == "true"
    assert page.input_value('[name="in.scale"]') == "much"


def test_a_fault_in_a_closed_part_opens_it(here: str, page: Page) -> None:
    expecting(page, "422")
    page.goto(f"{here}/submit/form?cmd=reflectivity/fit")
    page.evaluate("document.querySelector('[name=\"limit.memory\"]').value = 'lots'")
    page.click("#form button.primary")
    page.wait_for_load_state()
    assert page.evaluate("document.activeElement.id") == "limit.memory"
    assert page.locator("#limit\\.memory").is_visible()


def test_a_chosen_file_is_read_checked_and_sent_with_its_data(
    here: str, page: Page, site: tuple[Desk, str], tmp_path: Path
) -> None:
    expecting(page, "404")
    (tmp_path / "session.xml").write_text(FIT)
    (tmp_path / "film.ort").write_text("1 2 3")
    page.goto(f"{here}/submit")
    page.set_input_files("#session", tmp_path / "session.xml")
    until(page, "document.querySelector('#verdict').textContent.includes('It would be rejected')")
    assert page.input_value("#xml") == FIT
    assert page.locator("#verdict li.marked").count() == 1
    assert "◀ error" in (page.text_content("#verdict li.marked") or "")
    page.set_input_files("#files", tmp_path / "film.ort")
    until(page, "document.querySelector('#verdict').textContent.includes('It would be admitted')")
    page.click("#compose button.primary")
    page.wait_for_url("**/sessions/2*")
    desk, _ = site
    folder = desk.submission(page.url.rpartition("/")[2])
    assert (folder / "film.ort").read_text() == "1 2 3"
    assert (folder / "session.xml").read_text() == FIT


def test_the_form_is_taken_over_as_xml_and_sent_from_there(here: str, page: Page, site: tuple[Desk, str]) -> None:
    expecting(page, "404")
    page.goto(f"{here}/submit/form?cmd=tester/chisq")
    page.fill('[name="in.x"]', "3")
    page.click("text=Edit as XML")
    until(page, "document.querySelector('#xml')?.value.includes('x=\"3\"')")
    page.fill("#xml", page.input_value("#xml").replace('x="3"', 'x="4"'))
    until(page, "document.querySelector('#verdict').textContent.includes('It would be admitted')")
    page.click("#compose button.primary")
    page.wait_for_url("**/sessions/2*")
    text = (site[0].submission(page.url.rpartition("/")[2]) / "session.xml").read_text()
    assert 'x="4"' in text


@pytest.mark.parametrize("where", ["/submit", "/submit/form?cmd=reflectivity/fit"])
def test_it_fits_a_phone(here: str, page: Page, where: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{here}{where}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_a_session_is_checked_and_sent(
    browser: Any, site: tuple[Desk, str], here: str, page: Page
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto(f"{here}/submit")
    plain.fill("#xml", "<session/>")
    plain.click("text=Check")
    assert "It would be rejected" in plain.text_content("#verdict")
    plain.fill("#xml", ALONE)
    plain.click("#compose button.primary")
    plain.wait_for_url("**/sessions/2*")
    sid = plain.url.rpartition("/")[2]
    assert site[0].user(sid) == ME
    plain.goto(f"{here}/sessions/{sid}/confirm/cancel")
    plain.click("button.danger")
    assert site[0].inbox() == {}
    context.close()
