"""A browser for tests: Debian's Chromium driven by Playwright, where anything that goes wrong in the page fails the test.

`page`, a fixture that conftest.py gives to every test, is a fresh page in a context of its own.  When the test ends it
fails if the page logged an error or a warning, raised an error, broke the content security policy, or asked a host
other than this machine for anything.  A test that provokes one on purpose says so before: `expecting(page, "404")`
lets pass what has that text in it.  `until(page, "document.title === 'done'")` waits for what the page does by itself.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

OPTIONS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
HERE = ("127.0.0.1", "localhost", "[::1]", "::1")
LOCAL = ("data", "blob", "about")
WAIT_MS = 10_000
# Told by the page itself, before its own scripts run; the console says it too, but not in every version.
VIOLATIONS = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`));
"""


@dataclass(slots=True)
class Complaints:
    """What went wrong in a page, and what the test said would."""

    said: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def unexpected(self) -> list[str]:
        """Give what the test did not expect."""
        return [text for text in self.said if not any(part in text for part in self.expected)]


_complaints: weakref.WeakKeyDictionary[BrowserContext, Complaints] = weakref.WeakKeyDictionary()


@pytest.fixture(scope="session")
def browser(needs: Callable[[str], str]) -> Iterator[Browser]:
    """Start Chromium once for all tests of this process."""
    executable = needs("chromium")
    needs("playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=list(OPTIONS))
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser without cookies, as wide as a notebook's window; complaints of all its pages fail the test."""
    made = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True, locale="en-GB")
    made.set_default_timeout(WAIT_MS)
    complaints = watch(made)
    yield made
    made.close()
    assert complaints.unexpected() == [], f"the page complained: {complaints.unexpected()}"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Give an empty page."""
    return context.new_page()


def watch(context: BrowserContext) -> Complaints:
    """Take down what goes wrong in all pages of a context, those that it opens later too."""
    complaints = Complaints()
    _complaints[context] = complaints
    context.add_init_script(VIOLATIONS)

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.said.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def asked(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in LOCAL and address.hostname not in HERE:
            complaints.said.append(f"a request went to another host: {request.url}")

    context.on("console", heard)
    context.on("weberror", lambda error: complaints.said.append(f"page error: {error.error}"))
    context.on("request", asked)
    return complaints


def expecting(page: Page, *texts: str) -> None:
    """Let pass, in this test, complaints that have one of the texts in them."""
    _complaints[page.context].expected.extend(texts)


def until(page: Page, condition: str, seconds: float = WAIT_MS / 1000) -> None:
    """Wait until a JavaScript expression holds in a page; AssertionError when it does not in time.

    Playwright's own wait_for_function evaluates text inside the page, which the page's policy forbids.
    """
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"the page never came to: {condition}"
        page.wait_for_timeout(10)
