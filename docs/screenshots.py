"""Take the pictures of docs/web.md anew: `make screenshots`, or for some of them `make screenshots ARGS="map phone"`.

A spool of its own in a temporary folder gets the demo, the batch of 170 frames and a chi-square map of 91 × 61 points,
all run by real daemons; then Debian's Chromium looks at the page of that spool. It takes two minutes on two cores.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from browser import OPTIONS
from daemons import until
from page_site import PageSite
from PIL import Image
from playwright.sync_api import sync_playwright

from park_spool.config import shipped_services

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "pictures"
PATIENCE_S = 900
MOST_BYTES = 250_000
COLOURS = 255  # of a palette, for a picture that is too large without one


@dataclass(frozen=True, slots=True)
class View:
    """A picture: where it is taken, and how wide and high; `show` is scrolled to, `width` 390 is a phone."""

    name: str
    path: str
    theme: str = "light"
    show: str = ""
    width: int = 1280
    height: int = 860


VIEWS = (
    View("overview", "/"),
    View("nodes", "/nodes", theme="dark", height=560),
    View("session", "/sessions/{demo}"),
    View("session-dark", "/sessions/{demo}", theme="dark", height=1250),
    View("batch", "/sessions/{batch}/groups/1", height=1100),
    View("map", "/sessions/{map}", show="figure[data-chart=map]", height=880),
    View("compare", "/compare?fit={demo}&fit={demo}:{other}", height=900),
    View("submit", "/submit/form?cmd=reflectivity/fit", height=900),
    View("job", "/sessions/{demo}/jobs/1.1.26", height=900),
    View("phone", "/sessions/{demo}", theme="dark", width=390, height=844),
)


def bigger_map(folder: Path) -> Path:
    """Write docs/examples/map.xml with steps thrice and five times as fine: 91 × 61 points."""
    text = (DOCS / "examples" / "map.xml").read_text(encoding="utf-8")
    for coarse, fine in (("count='31'", "count='91'"), ("count='13'", "count='61'"), ("'Chisq'", "'ChisqMap'")):
        assert coarse in text, coarse
        text = text.replace(coarse, fine)
    path = folder / "map.xml"
    path.write_text(text, encoding="utf-8")
    return path


def fill(site: PageSite, folder: Path) -> dict[str, str]:
    """Run the sessions that are shown, and return their ids by name."""
    sources = {
        "demo": shipped_services() / "reflectivity" / "demo.xml",
        "batch": DOCS / "examples" / "annealing.xml",
        "map": bigger_map(folder),
    }
    sids = {}
    for name, source in sources.items():
        sids[name] = site.submit(source)
        print(f"{name}: {sids[name]} runs …", file=sys.stderr)
        site.wait_closed(sids[name], PATIENCE_S)
    [(job,)] = site.query(
        "SELECT job_number FROM jobs WHERE sid = ? AND status = 'ok' ORDER BY chisq DESC LIMIT 1", sids["demo"]
    )
    return {**sids, "other": f"1.1.{job}"}


def make_busy(site: PageSite, source: Path) -> None:
    """Let a session run while the first pictures are taken, so that they show one that does."""
    sid = site.submit(source)
    until(lambda: site.query("SELECT 1 FROM jobs WHERE sid = ? LIMIT 1", sid), PATIENCE_S, "the first result")


def take(site: PageSite, browser: Browser, view: View, known: dict[str, str]) -> None:
    """Take one picture, when nothing of the page moves any more."""
    context = browser.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme="dark" if view.theme == "dark" else "light",
        device_scale_factor=2 if view.width < 600 else 1,
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    site.log_in(page, name="anna")
    page.goto(site.address + view.path.format(**known))
    if view.name == "submit":
        fill_in(page)
    settle(page, view.show)
    write(PICTURES / f"{view.name}.png", page.screenshot(animations="disabled"))
    context.close()


def fill_in(page: Page) -> None:
    """Fill the form in as somebody would who fits the demo's film."""
    page.fill("#data", "package:refnx/analysis/tests/c_PLP0011859_q.txt")
    page.fill('[name="in.film_thickness_min"]', "200")
    page.fill('[name="in.film_thickness_max"]', "350")
    page.fill('[name="starts"]', "48")
    page.locator("#xml-made", has_text='film_thickness_max="350"').wait_for()
    page.evaluate("scrollTo(0, 0)")


def settle(page: Page, show: str) -> None:
    """Wait until what is in sight is drawn."""
    if show:
        page.locator(show).first.evaluate("(it) => it.scrollIntoView({block: 'center'})")
    for figure in page.locator("figure.chart:visible").all():
        figure.locator("canvas").first.wait_for()
    page.evaluate("""() => Promise.all([...document.images].filter((it) => it.getBoundingClientRect().top < innerHeight)
        .map((it) => it.decode()))""")
    page.wait_for_timeout(300)


def write(path: Path, png: bytes) -> None:
    """Write a picture in all its colours, or with a palette where it would be too large."""
    with Image.open(io.BytesIO(png)) as taken:
        plain = taken.convert("RGB")
    plain.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        plain.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB", file=sys.stderr)


def main(wanted: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    views = [view for view in VIEWS if not wanted or view.name in wanted]
    with tempfile.TemporaryDirectory(prefix="park-pictures-") as folder, PageSite(Path(folder)) as site:
        known = fill(site, Path(folder))
        make_busy(site, Path(folder) / "map.xml")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(OPTIONS))
            for view in views:
                take(site, browser, view, known)
            browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
