"""How heavy the page is, and how soon it shows something: in Chromium, over an archive of ten thousand sessions.

    python benchmarks/first_content.py [--sessions 10000] [--runs 7]

The archive is made by its own writer (overview.py, pages.py); park-web is a process of its own over it. Cold is a browser that
has never been here, warm the same page once more. Bytes are those on the wire, headers too; times begin when the page is
asked for; each figure is the median of the runs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

import pages
from playwright.sync_api import Browser, BrowserContext, sync_playwright

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from browser import OPTIONS

CHROMIUM = "/usr/bin/chromium"
TIMES = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  return [page.responseStart, paint?.startTime ?? NaN, page.domContentLoadedEventEnd];
}"""
Figures = tuple[float, ...]


def looked(context: BrowserContext, address: str) -> Figures:
    """Open a page; return kB, requests, and ms to the first byte, to the first content and until the page stands."""
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: dict[str, float] = {}

    def ended(event: dict[str, Any]) -> None:
        sizes[event["requestId"]] = event["encodedDataLength"]

    wire.on("Network.loadingFinished", ended)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(500)
    times = page.evaluate(TIMES)
    page.close()
    return (sum(sizes.values()) / 1000, float(sum(size > 0 for size in sizes.values())), *times)


def visits(browser: Browser, made: pages.Site, path: str) -> tuple[Figures, Figures]:
    """Look at a page cold and warm."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    address = f"http://127.0.0.1:{made.port}"
    context.add_cookies([{"name": f"park-{made.port}", "value": made.cookies[3], "url": address}])
    found = looked(context, address + path), looked(context, address + path)
    context.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    print("page                  kB  requests  first byte  first content  ready (ms)")
    with pages.site(given.sessions) as made, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        for name, path in (("overview", "/"), ("session", f"/sessions/{made.sid}")):
            runs = [visits(browser, made, path) for _ in range(given.runs)]
            for state, place in (("cold", 0), ("warm", 1)):
                kb, requests, *times = (
                    statistics.median(row) for row in zip(*(run[place] for run in runs), strict=True)
                )
                shown = "  ".join(f"{time:10.0f}" for time in times)
                print(f"{name:9} {state:6} {kb:8.1f} {requests:9.0f}  {shown}", flush=True)
        browser.close()
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs")


if __name__ == "__main__":
    main()
