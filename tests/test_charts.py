"""The charts of the page in a real browser: what a reader can do with each, by mouse and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser import expecting, until
from chart_examples import HOSTILE, ODD, batch, fit_of, mapped, searched, spread_out
from chart_site import Site, serving
from reflectivity_service import fit, modules, quick  # noqa: F401

CANVAS = "figure.chart canvas[role=img]"
KINDS = ("fit", "profile", "history", "spread", "trend", "map")
COUNT_DRAWINGS = """() => {
  window.drawings = 0;
  const draw = CanvasRenderingContext2D.prototype.strokeRect;
  CanvasRenderingContext2D.prototype.strokeRect = function (...box) { window.drawings += 1; return draw.apply(this, box); };
}"""


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    """Serve the charts' scripts and what a test wants drawn."""
    with serving() as site:
        yield site


@pytest.fixture(scope="module")
def answers(quick: dict[str, Any]) -> dict[str, Any]:  # noqa: F811
    """Give an answer for each kind of chart; the fit is a true one, of a measured curve."""
    return {
        "fit": fit_of(quick),
        "profile": fit_of(quick),
        "history": searched(),
        "spread": spread_out(quick),
        "trend": batch(),
        "map": mapped(9, 7),
    }


class Reader:
    """Who looks at a page with one chart."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        page.goto(address)
        until(page, "document.querySelector('.chart-body')?.dataset.looks === '1'")

    def tool(self, key: str) -> Any:
        """Give a button or a choice of the tool bar."""
        return self.page.locator(f"[data-tool='{key}']")

    def is_on(self, key: str) -> bool:
        """Say whether a button is pressed."""
        return bool(self.tool(key).get_attribute("aria-pressed") == "true")

    def words(self) -> str:
        """Give what the drawing says of itself."""
        return str(self.page.locator(CANVAS).get_attribute("aria-label"))

    def read(self) -> str:
        """Give what the cursor's line says."""
        return str(self.page.locator(".chart-read").inner_text())

    def notes(self) -> str:
        """Give the sentences below the drawing."""
        return str(self.page.locator(".chart-notes").inner_text())

    def keys(self, *keys: str) -> str:
        """Press keys on the drawing; gives what is read out then."""
        self.page.locator(CANVAS).focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.read()

    def at(self, across: float, down: float, panel: int = 0) -> tuple[float, float]:
        """Give a place in the drawing area, of its width and height."""
        box = self.page.locator(".u-over").nth(panel).bounding_box()
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def point(self, across: float, down: float, panel: int = 0) -> str:
        """Point somewhere; gives what is read out."""
        self.page.mouse.move(*self.at(across, down, panel))
        return self.read()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one place in the drawing area to another."""
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=3)
        self.page.mouse.up()

    def look(self) -> None:
        """Let the page look for news, and wait until the chart has seen them."""
        looks = self.page.evaluate("Number(document.querySelector('.chart-body')?.dataset.looks)")
        self.page.evaluate("document.body.dispatchEvent(new CustomEvent('park:look'))")
        until(self.page, f"Number(document.querySelector('.chart-body')?.dataset.looks) > {looks}")

    def quantity(self) -> float:
        """Give the first number that is read out, the place on the x axis."""
        return float(self.read().split(" · ")[0].split(" ")[1].replace("−", "-"))


def test_a_fit_says_what_it_shows_and_is_read_by_keys(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("fit", answers["fit"]))
    assert reader.words().startswith("Fit of film: R against Q, 408 points from 0.00806 to 0.466 Å⁻¹")
    assert "logarithmic y axis" in reader.words() and "χ² 966.2, reduced χ² 2.42" in reader.words()
    first = reader.keys("ArrowRight")
    assert first.startswith("Q 0.0080") and "±" in first and "Å⁻¹" in first and first.endswith("σ")
    second = reader.keys("ArrowRight")
    assert second != first and reader.keys("Home") == first and reader.keys("ArrowRight", "ArrowLeft") == first
    assert reader.keys("End").startswith("Q 0.46")
    assert reader.keys("Escape").startswith("Point at the chart")
    assert page.locator(".chart-legend li").all_inner_texts() == ["film", "model, χ² 966.2, reduced χ² 2.422"]
    assert page.locator(".chart-read").get_attribute("aria-live") == "polite"


def test_a_reader_zooms_pans_and_goes_back(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("fit", answers["fit"]))
    assert reader.tool("reset").is_disabled()
    reader.drag((0.5, 0.2), (0.9, 0.95))
    reader.point(0.01, 0.5)
    left = reader.quantity()
    assert reader.tool("reset").is_enabled() and 0.2 < left < 0.26
    reader.tool("pan").click()
    assert reader.is_on("pan") and not reader.is_on("zoom")
    reader.drag((0.2, 0.5), (0.7, 0.5))
    reader.point(0.01, 0.5)
    assert reader.quantity() < left - 0.05, "what was left of the view came in"
    reader.tool("reset").click()
    reader.point(0.01, 0.5)
    assert reader.quantity() < 0.05 and reader.tool("reset").is_disabled()
    reader.tool("zoom").click()
    reader.drag((0.5, 0.2), (0.9, 0.95))
    page.mouse.dblclick(*reader.at(0.5, 0.5))
    assert reader.tool("reset").is_disabled()
    reader.keys("End", "+", "+")
    assert reader.tool("reset").is_enabled()
    reader.keys("0")
    assert reader.tool("reset").is_disabled()


def test_the_cursor_goes_along_when_the_view_changes(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("fit", answers["fit"]))
    said = reader.point(0.6, 0.5)
    for change in (lambda: reader.keys("+"), lambda: reader.tool("logX").click(), lambda: reader.tool("q4").click()):
        change()
        ring = page.locator(".chart-ring:visible").last.bounding_box()
        page.mouse.move(ring["x"] + 7, ring["y"] + 7)
        assert reader.read().split(" · ")[0] == said.split(" · ")[0]


def test_tools_of_a_fit(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("fit", answers["fit"]))
    assert reader.is_on("logY") and page.locator("figure canvas.chart, figure .u-wrap canvas").count() == 2
    reader.tool("logY").focus()
    page.keyboard.press("Enter")
    assert "linear y axis" in reader.words() and not reader.is_on("logY")
    assert page.evaluate("document.activeElement.dataset.tool") == "logY", "the focus stays on the button"
    reader.tool("logX").click()
    assert "logarithmic x axis" in reader.words()
    reader.tool("q4").click()
    assert "R·Q⁴ against Q" in reader.words() and "Å⁻⁴" in reader.keys("ArrowRight")
    reader.tool("residuals").click()
    assert page.locator("figure .u-wrap canvas").count() == 1 and "residuals" not in reader.words()
    for key in ("bars", "dx"):
        was_on = reader.is_on(key)
        reader.tool(key).click()
        assert reader.is_on(key) is not was_on


def test_only_reflectivity_is_multiplied_by_q4(page: Any, served: Site, answers: dict[str, Any]) -> None:
    answer = {**answers["fit"], "curve": {**answers["fit"]["curve"], "kind": "small-angle"}}
    reader = Reader(page, served.figure("fit", answer))
    assert reader.tool("q4").count() == 0 and reader.tool("logX").count() == 1


def test_the_pointer_reads_both_panels_and_they_zoom_together(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("fit", answers["fit"]))
    assert "residual" in reader.point(0.5, 0.5, panel=1)
    assert page.locator(".chart-ring:visible").count() == 2
    reader.drag((0.5, 0.5), (0.9, 0.5))
    reader.point(0.02, 0.5, panel=1)
    assert reader.quantity() > 0.2


def test_news_keep_canvas_zoom_and_settings(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("fit", answers["fit"]))
    reader.tool("q4").click()
    reader.drag((0.5, 0.2), (0.9, 0.95))
    reader.point(0.01, 0.5)
    left = reader.quantity()
    page.evaluate(f"document.querySelector('{CANVAS}').isSame = true")
    page.evaluate(COUNT_DRAWINGS)
    served.asked.clear()
    reader.look()
    assert served.asked == [("fit", 304)] and page.evaluate("window.drawings") == 0, "nothing new, nothing drawn"

    served.answers["fit"] = {**answers["fit"], "chisq": 900.0}
    reader.look()
    assert "χ² 900" in reader.words() and page.evaluate("window.drawings") > 0
    assert page.evaluate(f"document.querySelector('{CANVAS}').isSame")
    reader.point(0.02, 0.5)
    reader.point(0.01, 0.5)
    assert reader.quantity() == left and reader.is_on("q4") and reader.tool("reset").is_enabled()


def test_a_server_that_fails_is_said_and_the_picture_stays(page: Any, served: Site, answers: dict[str, Any]) -> None:
    expecting(page, "404 (NOT FOUND)")
    reader = Reader(page, served.figure("history", answers["history"]))
    words = reader.words()
    served.answers.clear()
    reader.look()
    assert reader.words() == words and reader.notes() == "There is nothing to draw here yet."
    served.answers["history"] = searched(60)
    reader.look()
    assert "60 jobs" in reader.words() and not page.locator(".chart-notes").is_visible()


def test_files_are_saved_from_a_menu(page: Any, served: Site, answers: dict[str, Any]) -> None:
    saves = json.dumps(
        [["PNG", "/file.png"], ["elsewhere", "https://example.org/x"], ["script", "javascript:alert(1)"], 3]
    )
    saves = saves.replace(", 3]", "]")
    Reader(page, served.figure("fit", answers["fit"], data_save=saves))
    page.locator("summary", has_text="Save").focus()
    page.keyboard.press("Enter")
    links = page.locator(".chart-files a")
    assert links.all_inner_texts() == ["PNG"], "only what is of this site is offered"
    page.keyboard.press("Escape")
    assert not links.first.is_visible() and page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        links.first.click()
    assert download.value.suggested_filename == "file.png"


def test_fits_lie_over_each_other(page: Any, served: Site, answers: dict[str, Any]) -> None:
    address = served.figure("fit", answers["fit"])
    served.answers["two"] = {**answers["fit"], "label": "job 2", "curve": {**answers["fit"]["curve"], "dy": None}}
    served.answers["three"] = {"label": "no curve", "curve": None}
    served.figures[0]["data-src"] = "/json/fit /json/two /json/three"
    reader = Reader(page, address)
    assert reader.words().startswith("2 fits over each other")
    assert [text.split(",")[0] for text in page.locator(".chart-legend li").all_inner_texts()] == [
        "film",
        "job 45",
        "job 2",
    ]
    assert "1 fit of 3 came without a curve." in reader.notes()
    assert reader.keys("ArrowRight").startswith("job 45 · Q")
    assert reader.keys("ArrowDown").startswith("job 2 · Q")
    page.evaluate("document.querySelector('figure').dataset.src = '/json/two'")
    until(page, f"document.querySelector('{CANVAS}').ariaLabel.startsWith('Fit of film')")


def test_a_step_of_the_history_leads_to_its_job(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("history", answers["history"], data_job_href="/jobs/{job}"))
    best = answers["history"]["steps"][-1]["job"]
    assert f"of job {best}" in reader.words()
    page.evaluate(
        "document.addEventListener('park:job', ({ detail }) => sessionStorage.setItem('told', JSON.stringify(detail)))"
    )
    assert reader.keys("End").startswith("best so far: job") or reader.keys("Home", "End")
    place = page.locator(".chart-ring:visible").bounding_box()
    page.mouse.click(place["x"] + 7, place["y"] + 7)
    page.wait_for_url("**/jobs/*")
    told = json.loads(page.evaluate("sessionStorage.getItem('told')"))
    assert told["sid"] == answers["history"]["sid"] and page.url.endswith(f"/jobs/{told['job']}")


def test_the_cursor_stays_at_its_job_while_others_come(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("history", answers["history"]))
    said = reader.keys("ArrowRight", "ArrowDown", "ArrowRight", "ArrowRight")
    assert said.startswith("job ")
    more = searched(48)
    more["steps"].append({"job": 99, "finished": more["jobs"][-1][0], "chisq": 1.0})
    served.answers["history"] = more
    reader.look()
    assert "of job 99" in reader.words() and reader.read() == said


def test_time_of_a_history_is_since_the_first_or_of_day(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("history", answers["history"]))
    assert "after 0 " in reader.keys("ArrowRight")
    reader.tool("time").select_option("clock")
    assert " at 2026-11-2" in reader.keys("ArrowRight")
    reader.tool("logY").click()
    assert "linear axis" in reader.words()


def test_a_map_is_read_by_pointer_and_arrows(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("map", answers["map"]))
    assert "thickness (9 steps) and roughness (7 steps), 62 cells filled" in reader.words()
    assert "at thickness 40, roughness 30" in reader.words()
    assert reader.point(0.5, 0.5) == "thickness 40 · roughness 30 · χ² 100 · Δχ² 0"
    assert reader.keys("ArrowRight").startswith("thickness 50 · roughness 30")
    assert reader.keys("ArrowUp").startswith("thickness 50 · roughness 40")
    assert reader.point(0.01, 0.99).endswith("no χ² yet") and "1 cell of 63 without χ²" in reader.notes()
    assert "68.3 % (Δχ² 2.3)" in page.locator(".chart-legend").inner_text()
    assert "thin lines: χ² " in page.locator(".chart-legend").inner_text()
    reader.tool("contours").click()
    assert not any(words in page.locator(".chart-legend").inner_text() for words in ("68.3 %", "thin lines"))
    reader.tool("log").click()
    assert "linear colours" in reader.words()


def test_maps_of_one_and_of_three_axes(page: Any, served: Site) -> None:
    reader = Reader(page, served.figure("map", mapped(9)))
    assert reader.words().startswith("χ² along thickness (9 steps)")
    assert reader.keys("ArrowRight") == "thickness 0 · χ² 148 · Δχ² 48"
    reader = Reader(page, served.figure("map", mapped(5, 4, 3)))
    assert "Along the other axes the smallest χ² is taken." in reader.notes()
    reader.tool("y").select_option("scale")
    assert "thickness (5 steps) and scale (3 steps)" in reader.words()
    reader.tool("x").select_option("roughness")
    assert "roughness (4 steps) and scale (3 steps)" in reader.words()


def test_a_trend_is_shown_against_what_is_chosen(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("trend", answers["trend"]))
    assert reader.words().startswith("thickness against sequence number of 170 data sets")
    assert reader.keys("ArrowRight").startswith("frame 1 · sequence number 1 · thickness")
    reader.tool("x").select_option("metadata:temperature")
    assert "temperature 300 K" in reader.keys("Home")
    reader.tool("x").select_option("metadata:state")
    assert "state heating" in reader.keys("Home") and reader.tool("logX").count() == 0
    reader.tool("y").select_option("chisq:reduced chi-square")
    assert reader.words().startswith("reduced chi-square against state") and reader.is_on("logY")


def test_a_spread_is_walked_strip_by_strip(page: Any, served: Site, answers: dict[str, Any]) -> None:
    reader = Reader(page, served.figure("spread", answers["spread"]))
    assert (
        reader.words().startswith("Where 48 starts ended") and "film thickness 258.9 Å in 50 to 500" in reader.words()
    )
    page.evaluate("document.addEventListener('park:job', ({ detail }) => { window.told = detail; })")
    assert reader.keys("ArrowRight").startswith("scale ")
    assert reader.keys("ArrowDown").startswith("background ")
    reader.keys("Enter")
    assert page.evaluate("window.told.job") > 0


@pytest.mark.parametrize("kind", KINDS)
def test_odd_data_is_said_in_words(page: Any, served: Site, answers: dict[str, Any], kind: str) -> None:
    """One page is shown one oddity after the other: each is drawn or explained, and none spoils what comes after."""
    reader = Reader(page, served.figure(kind, answers[kind]))
    for name, (_, answer) in {name: odd for name, odd in ODD.items() if odd[0] == kind}.items():
        served.answers[kind] = answer if isinstance(answer, str) else json.dumps(answer)
        reader.look()
        is_drawn = page.locator(CANVAS).is_visible()
        assert is_drawn or reader.notes(), name
        if is_drawn:
            reader.keys("ArrowRight", "ArrowUp", "+", "End", "-", "0")
            for tool in page.locator(".chart-tool[data-tool^=log]").all():
                tool.click()
    served.answers[kind] = answers[kind]
    reader.look()
    assert page.locator(CANVAS).is_visible()


def test_ten_thousand_points_are_drawn_and_read(page: Any, served: Site) -> None:
    x = [0.001 * (i + 1) for i in range(10_000)]
    y = [1 / q for q in x]
    columns = {"x": x, "y": y, "dy": [0.1 * one for one in y], "model": y, "yscale": "log"}
    reader = Reader(page, served.figure("fit", {"label": "long", "curve": columns}))
    assert "10,000 points" in reader.words()
    reader.point(0.5, 0.5)
    assert 4.9 < reader.quantity() < 5.1


def test_hostile_names_are_shown_as_they_are(page: Any, served: Site, answers: dict[str, Any]) -> None:
    labels = dict.fromkeys(("data", "xlabel", "ylabel", "xunit", "yunit"), HOSTILE)
    answer = {**answers["fit"], "label": HOSTILE, "curve": {**answers["fit"]["curve"], **labels}}
    reader = Reader(page, served.figure("fit", answer, data_save=json.dumps([[HOSTILE, "/file.png"]])))
    assert HOSTILE in reader.words() and HOSTILE in reader.keys("ArrowRight")
    assert page.locator(".chart-legend").inner_text().startswith(HOSTILE)
    assert page.locator("img").count() == 0


def corner(page: Any) -> list[int]:
    """Give the colour of the frame around the drawing area."""
    script = f"""() => {{
      const canvas = document.querySelector('{CANVAS}');
      const over = canvas.parentElement.querySelector('.u-over');
      const ratio = canvas.width / canvas.clientWidth;
      const [x, y] = [over.offsetLeft * ratio, (over.offsetTop + over.clientHeight / 2 + 7) * ratio];
      return [...canvas.getContext('2d').getImageData(x - 1, y, 2, 1).data.slice(0, 8)];
    }}"""
    return list(page.evaluate(script))


def test_the_theme_of_the_reader_and_of_the_page_reach_the_canvas(
    page: Any, served: Site, answers: dict[str, Any]
) -> None:
    expecting(page, "willReadFrequently")  # Chromium's advice to those who read pixels, as this test does
    Reader(page, served.figure("fit", answers["fit"]))
    page.evaluate(f"document.querySelector('{CANVAS}').isSame = true")
    light = corner(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(50)
    dark = corner(page)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_timeout(50)
    assert corner(page) == light != dark
    assert page.evaluate(f"document.querySelector('{CANVAS}').isSame")


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_shows_all_of_it(page: Any, served: Site, answers: dict[str, Any], kind: str) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    reader = Reader(page, served.figure(kind, answers[kind], data_save='[["PNG", "/file.png"]]'))
    reader.keys("ArrowRight")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 800, "height": 700})
    until(page, f"document.querySelector('{CANVAS}').clientWidth > 600")


def test_figures_come_and_go_with_swaps(page: Any, served: Site, answers: dict[str, Any]) -> None:
    served.figure("history", answers["history"])
    figures, served.figures = served.figures, []
    page.goto(f"{served.address}/")
    served.figures = figures
    page.evaluate("""async () => {
      const text = await (await fetch('/')).text();
      document.querySelector('main').append(new DOMParser().parseFromString(text, 'text/html').querySelector('figure'));
    }""")
    page.wait_for_selector(CANVAS)
    page.evaluate("document.querySelector('figure').replaceChildren()")
    page.wait_for_selector(CANVAS)
    page.evaluate("document.querySelector('figure').remove()")
    served.asked.clear()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('park:look'))")
    page.evaluate("fetch('/json/history')")
    page.wait_for_timeout(50)
    assert len(served.asked) == 1, "the chart that went asks no more"


def test_a_morph_of_htmx_leaves_the_drawing_in_place(page: Any, served: Site, answers: dict[str, Any]) -> None:
    address = served.figure("history", answers["history"], hx_morph_skip_children="")
    served.is_part = True
    try:
        reader = Reader(page, address)
        page.evaluate(f"document.querySelector('{CANVAS}').isSame = true")
        reader.tool("logY").click()
        served.answers["history"] = searched(60)
        with page.expect_response("**/"):
            reader.look()
        until(page, f"document.querySelector('{CANVAS}').ariaLabel.includes('60 jobs')")
        assert page.locator(CANVAS).count() == 1 and not reader.is_on("logY")
    finally:
        served.is_part = False
