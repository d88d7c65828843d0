"""Sending by the page: text, files, zips and forms; what is wrong is said at its line or field, and nothing is sent."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from submitting import ME, Desk, desk
from test_web import Page

FIT = """<?xml version='1.0' encoding='UTF-8'?>
<session>
 <group name='film'>
  <dataSet><data name='film' href='film.ort'/></dataSet>
  <task cmd='reflectivity/fit'/>
  <joblist cnt='3'><input/></joblist>
 </group>
</session>
"""
ALONE = FIT.replace("  <dataSet><data name='film' href='film.ort'/></dataSet>\n", "")
HOSTILE = "<script>alert(1)</script>"
HTMX = {"HX_Request": "true"}


@pytest.fixture
def page(tmp_path: Path) -> Desk:
    return desk(tmp_path)


def file(text: str | bytes, name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(text.encode() if isinstance(text, str) else text), name


def seen(html: str) -> str:
    """Return a page after a look at what every page must be."""
    found = Page()
    found.feed(html)
    assert found.problems == []
    return html


def test_the_page_offers_the_text_the_commands_and_the_demo(page: Desk) -> None:
    html = seen(page.client.get("/submit").text)
    assert 'href="/submit/form?cmd=reflectivity/fit"' in html
    assert "node/top" not in html
    assert 'action="/submit/demo"' in html


def test_a_text_is_sent_for_who_is_logged_in(page: Desk) -> None:
    sid = page.sent(page.post("/submit", {"xml": ALONE.replace("\n", "\r\n")}))
    assert page.user(sid) == ME
    assert (page.submission(sid) / "session.xml").read_text() == ALONE


def test_a_file_goes_as_it_came_with_its_data(page: Desk) -> None:
    text = FIT.replace("UTF-8", "ISO-8859-1").replace("name='film'", "name='f\u00e5lm'", 1)
    files = [file("1 2 3", "data/film.ort")]
    sid = page.sent(page.post("/submit", {"session": file(text.encode("latin-1"), "my film.xml"), "files": files}))
    folder = page.submission(sid)
    assert folder.name == f"{sid}.my film.xml"
    assert (folder / "session.xml").read_bytes() == text.encode("latin-1")
    assert (folder / "film.ort").read_text() == "1 2 3"


def test_a_file_whose_text_was_changed_goes_as_it_was_changed(page: Desk) -> None:
    sent = {"session": file(ALONE, "film.xml"), "xml": ALONE.replace("cnt='3'", "cnt='4'")}
    sid = page.sent(page.post("/submit", sent))
    assert "cnt='4'" in (page.submission(sid) / "session.xml").read_text()


def test_a_zip_is_sent(page: Desk) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as package:
        package.writestr("run/film.xml", FIT)
        package.writestr("run/film.ort", "1 2 3")
    sid = page.sent(page.post("/submit", {"session": file(data.getvalue(), "run.zip")}))
    assert {path.name for path in page.submission(sid).iterdir()} == {"film.xml", "film.ort", ".sender"}
    assert page.user(sid) == ME


def test_what_would_be_rejected_is_not_sent_and_marked_at_its_line(page: Desk) -> None:
    answer = page.post("/submit", {"xml": FIT})
    assert answer.status_code == 422
    html = seen(answer.text)
    assert '<a href="#line-4">line 4, column' in html
    assert '<li id="line-4" data-line="4" class="marked">' in html
    assert "◀ error" in html
    assert 'aria-invalid="true"' in html
    assert page.inbox() == {}


def test_a_check_takes_the_names_of_files_that_are_not_sent_yet(page: Desk) -> None:
    answer = page.post("/submit/check", {"xml": FIT, "names": "film.ort\nother.txt"}, **HTMX)
    assert "It would be admitted" in answer.text
    assert "<html" not in answer.text
    assert "3 jobs" in answer.text
    assert "<html" in seen(page.post("/submit/check", {"xml": FIT}).text)
    assert page.inbox() == {}


def test_a_warning_does_not_hinder(page: Desk) -> None:
    answer = page.post("/submit/check", {"xml": ALONE.replace("<group ", "<group odd='1' ")}, **HTMX)
    assert "It would be admitted" in answer.text
    assert "Note" in answer.text
    assert "Unknown attribute" in answer.text


@pytest.mark.parametrize(
    "text", ["", " ", "<", "<a/>", "\x00", HOSTILE, "<?xml version='1.0' encoding='nope'?><session/>"]
)
def test_any_text_is_answered_in_words(page: Desk, text: str) -> None:
    answer = page.post("/submit", {"xml": text})
    assert answer.status_code == 422
    assert "It would be rejected" in seen(answer.text)
    assert HOSTILE not in answer.text


@pytest.mark.parametrize(
    "name", ["../../evil.ort", "/etc/passwd", "..", ".sender", "session.xml", "x" * 300, "a\nb", "..\\..\\x"]
)
def test_a_name_never_becomes_a_path(page: Desk, tmp_path: Path, name: str) -> None:
    answer = page.post("/submit", {"xml": ALONE, "files": [file("x", name)]})
    if answer.status_code == 303:
        folder = page.submission(page.sent(answer))
        assert {path.name for path in folder.iterdir()} <= {"session.xml", ".sender", "evil.ort", "passwd", "x", "a b"}
    else:
        assert answer.status_code == 422
        assert page.inbox() == {}
    assert not (tmp_path / "evil.ort").exists()


def test_two_files_of_one_name_are_refused(page: Desk) -> None:
    answer = page.post("/submit", {"xml": FIT, "files": [file("1", "film.ort"), file("2", "film.ort")]})
    assert answer.status_code == 422
    assert "two files are named" in answer.text.lower()


def test_what_is_larger_than_a_submission_may_be_is_refused(tmp_path: Path) -> None:
    page = desk(tmp_path, max_submission_bytes=5000)
    answer = page.post("/submit", {"xml": ALONE, "files": [file(b"x" * 10_000, "film.ort")]})
    assert answer.status_code == 413
    assert page.inbox() == {}


def test_the_demo_is_sent_for_who_asks_and_mails_nobody(page: Desk) -> None:
    sid = page.sent(page.post("/submit/demo"))
    text = (page.submission(sid) / "session.xml").read_text()
    assert (page.user(sid), f'user="{ME}"' in text, 'email=""' in text) == (ME, True, True)
    assert "package:refnx" in text


# the form


def test_the_form_has_a_row_for_each_parameter(page: Desk) -> None:
    html = seen(page.client.get("/submit/form?cmd=reflectivity/fit").text)
    assert html.count('name="in.film_thickness') == 3
    assert 'placeholder="500.0"' in html
    assert 'name="starts"' in html
    assert "ChisqMap" in html


def test_a_filled_form_is_previewed_and_sent(page: Desk) -> None:
    filled = {"cmd": "reflectivity/fit", "in.film_thickness_max": "300", "starts": "48", "name": "film in D2O"}
    preview = page.post("/submit/preview", {**filled, "names": "film.ort"}, **HTMX)
    assert "It would be admitted" in preview.text
    assert "&lt;axis name=&#34;seed&#34;" in preview.text
    assert page.inbox() == {}
    sid = page.sent(page.post("/submit/form", {**filled, "files": [file("1 2 3", "film.ort")]}))
    folder = page.submission(sid)
    assert folder.name == f"{sid}.film in D2O.xml"
    assert page.user(sid) == ME
    assert (folder / "film.ort").read_text() == "1 2 3"


def test_a_fault_stands_beside_its_field_and_the_rest_is_kept(page: Desk) -> None:
    answer = page.post("/submit/form", {"cmd": "reflectivity/fit", "in.scale": "much", "name": HOSTILE})
    assert answer.status_code == 422
    html = seen(answer.text)
    assert 'id="fault-in.scale"' in html
    assert 'aria-describedby="fault-in.scale" aria-invalid="true"' in html
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    assert page.inbox() == {}


def test_the_form_is_taken_over_as_xml(page: Desk) -> None:
    answer = page.post("/submit/edit", {"cmd": "reflectivity/fit", "starts": "2", "files": [file("1", "film.ort")]})
    html = seen(answer.text)
    assert "&lt;task cmd=&#34;reflectivity/fit&#34;/&gt;" in html
    assert "Choose the files again that are to go along: film.ort" in html


def test_an_unknown_command_is_said_in_words(page: Desk) -> None:
    for cmd in ("", "nothing/there", "reflectivity/none", HOSTILE):
        answer = page.client.get("/submit/form", query_string={"cmd": cmd})
        assert answer.status_code == 404
        assert HOSTILE not in answer.text


def test_data_is_picked_from_a_root(tmp_path: Path) -> None:
    root = tmp_path / "data"
    (root / "run7").mkdir(parents=True)
    (root / "run7" / "film.ort").write_text("1 2 3")
    page = desk(tmp_path, data_roots=[str(root)])
    assert str(root) in page.client.get("/submit/form?cmd=reflectivity/fit").text
    listed = page.client.get("/submit/data?place=root:0&path=run7", headers={"HX-Request": "true"})
    assert f'value="{root}/run7/film.ort"' in listed.text
    assert "<html" in seen(page.client.get("/submit/data?place=root:0").text)
    assert "is no folder under" in page.client.get("/submit/data?place=root:0&path=../..").text
    made = page.post("/submit/preview", {"cmd": "reflectivity/fit", "pick": f"{root}/run7/film.ort"}, **HTMX)
    assert "It would be admitted" in made.text


def test_nothing_stays_behind_of_what_was_uploaded(page: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    page.post("/submit", {"xml": FIT, "files": [file("1", "film.ort")]})
    page.post("/submit", {"xml": "<", "files": [file("1", "film.ort")]})
    assert list(place.iterdir()) == []
    assert not any(page.settings.layout.tmp.iterdir())
