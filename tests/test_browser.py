"""The browser of the tests itself: it sees what goes wrong in a page, so that a test can fail for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from browser import watch
from chart_site import Site, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    """Serve an empty page under the policy of the true one."""
    with serving() as site:
        yield site


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.error('broken')", "console error: broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "page error: "),
        (
            "document.body.setAttribute('onclick', 'x()'); document.body.click()",
            "content security policy: script-src-attr",
        ),
        ("document.body.innerHTML = '<p style=\"color: red\">'", "content security policy: style-src-attr"),
        ("new Image().src = 'http://park.example/x.png'", "content security policy: img-src"),
    ],
)
def test_what_goes_wrong_in_a_page_is_heard(browser: Any, served: Site, script: str, complaint: str) -> None:
    context = browser.new_context()
    complaints = watch(context)
    page = context.new_page()
    page.goto(f"{served.address}/")
    assert complaints.unexpected() == []
    page.evaluate(f"() => {{ {script} }}")
    page.wait_for_timeout(100)
    context.close()
    assert [said for said in complaints.unexpected() if complaint in said]


def test_a_request_to_another_host_is_heard(browser: Any) -> None:
    context = browser.new_context()
    complaints = watch(context)
    page = context.new_page()
    page.set_content("<img src='http://park.example/x.png'>")
    page.wait_for_timeout(100)
    context.close()
    assert any("a request went to another host: http://park.example/x.png" in said for said in complaints.unexpected())
