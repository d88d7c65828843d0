"""What every test may use: outside programs by `needs`, a browser (`page`), and the promise that nothing but loopback is reached."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from browser import browser, context, page  # noqa: F401

LOOPBACK = ("127.", "::1", "localhost")
MANY = 300  # open files of this process; select() takes no number above 1023


def pytest_configure(config: pytest.Config) -> None:
    sys.addaudithook(_forbid_the_outside)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell started the tests with `&`
    for number in (signal.SIGHUP, signal.SIGQUIT):  # as with nohup; what a test starts would ignore them, too
        signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones, so that at the end no worker waits for another."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _forbid_the_outside(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse to connect anywhere but to this machine: a test that needs the network is no test."""
    if event != "socket.connect":
        return
    address = arguments[1]
    if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
        raise RuntimeError(f"a test tried to reach {address[0]!r}: only loopback is allowed")


@pytest.fixture(autouse=True)
def _few_open_files() -> Iterator[None]:
    """Close what killed processes of a crash test left open: their connections go when the garbage is collected."""
    yield
    with suppress(FileNotFoundError):  # another system has no /proc
        if len(os.listdir("/proc/self/fd")) > MANY:
            gc.collect()


@pytest.fixture(scope="session")
def needs() -> Callable[[str], str]:
    """Return a function that skips a test where a program or a Python package is missing; in CI it fails."""

    def need(component: str) -> str:
        found = shutil.which(component)
        if found is None and _has_package(component):
            found = component
        if found is None and os.environ.get("CI") == "true":
            pytest.fail(f"{component} is missing, and CI must not skip what it needs: see .ci/run")
        if found is None:
            pytest.skip(f"{component} is not installed here")
        return found

    return need


def _has_package(name: str) -> bool:
    return name.isidentifier() and importlib.util.find_spec(name) is not None
