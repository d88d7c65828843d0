"""Tests of the readers of small-angle data: what they take, and the sentence for what they refuse."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from small_angle_service import measured, modules  # noqa: F401

Modules = dict[str, ModuleType]
Needs = Callable[[str], str]
ROW = "<Idata><Q unit='1/A'>{0}</Q><I unit='1/cm'>{1}</I><Idev unit='1/cm'>{2}</Idev></Idata>"
ENTRY = "<SASentry {name}><Title>{title}</Title><Run>7</Run><SASdata>{rows}</SASdata></SASentry>"


def xml(*entries: str) -> str:
    """Write a canSAS file."""
    return f"<?xml version='1.0'?>\n<SASroot version='1.1' xmlns='urn:cansas1d:1.1'>{''.join(entries)}</SASroot>"


def entry(*rows: str, name: str = "", title: str = "a title") -> str:
    """Write an entry of a canSAS file."""
    return ENTRY.format(name=f"name='{name}'" if name else "", title=title, rows="".join(rows))


GOOD = (ROW.format(0.01, 5, 0.5), ROW.format(0.02, 4, 0.4))


@pytest.fixture
def read(modules: Modules, tmp_path: Path) -> Callable[..., Any]:
    """Give a function that reads a text as a file of some name, and cuts it."""

    def read_text(text: str | bytes, name: str = "c.txt", qmin: Any = None, qmax: Any = None, **more: Any) -> Any:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return modules["frames"].within(modules["frame_files"].read_frame(path, **more), qmin, qmax)

    return read_text


@pytest.fixture
def refusal(read: Callable[..., Any], modules: Modules) -> Callable[..., str]:
    """Give a function that reads what must be refused, and returns the sentence."""

    def refused(*words: Any, **more: Any) -> str:
        with pytest.raises(modules["frames"].FrameError) as error:
            read(*words, **more)
        return str(error.value)

    return refused


# --- text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "c.txt: expected rows of numbers Q, I, dI, dQ, found none in the file"),
        ("Q I dI\n# nothing\n", "c.txt: expected rows of numbers Q, I, dI, dQ, found none in the file"),
        ("0.01 1.0\n", "c.txt, line 1: expected at least three columns (Q, I, dI), found 2"),
        ("# Q I\n\n0.01 1 .1\n0.02 1\n", "c.txt, line 4: expected 3 columns as in the first row, found 2"),
        ("0.01 1 .1\n0.02 one .1\n", "c.txt, line 2: expected a number for I, found 'one'"),
        ("0.01 1 .1\nsecond part\n", "c.txt, line 2: expected 3 columns as in the first row, found 2"),
        ("0.01 1 .1\n0.02 nan .1\n", "c.txt, line 2: expected a finite I, found nan"),
        ("0.01 1 .1\n0.02 1 nan\n", "c.txt, line 2: expected a positive dI, found nan"),
        ("0.01 1 .1\n0.02 1 inf\n", "c.txt, line 2: expected a positive dI, found inf"),
        ("0.01 1 .1\n0.02 1 0\n", "c.txt, line 2: expected a positive dI, found 0; qmin and qmax leave points out"),
        ("0.01 1 -.1 .001\n", "c.txt, line 1: expected a positive dI, found -0.1"),
        ("0 1 .1 .001\n", "c.txt, line 1: expected a positive Q, found 0"),
        ("nan 1 .1 .001\n", "c.txt, line 1: expected a positive Q, found nan"),
        ("inf 1 .1 .001\n", "c.txt, line 1: expected a positive Q, found inf"),
        (
            "0.01 1 .1 -0.117\n",
            "c.txt, line 1: expected a dQ of 0 or more, found -0.117: the data are smeared by a slit",
        ),
        ("0.01 1 .1 nan\n", "c.txt, line 1: expected a finite dQ, found nan"),
        ("\x00\x01PNG", "c.txt: expected columns of text, canSAS XML or HDF5, found another binary file"),
    ],
)
def test_bad_text_is_refused_with_file_and_line(refusal: Callable[..., str], text: str, complaint: str) -> None:
    assert refusal(text).startswith(complaint)


def test_headings_separators_and_order_do_not_matter(read: Callable[..., Any]) -> None:
    plain = read("0.01 1 .1 .001\n0.02 -.5 .1 .002\n")
    assert plain.intensity.tolist() == [1.0, -0.5]
    other = read("\ufeff<X> <Y>\nQ (1/A), I, dI\n0.02, -.5, .1, .002, 9 # last\r\n0.01;1;.1;.001;9\n")
    for column in ("q", "intensity", "error", "dq"):
        assert getattr(other, column).tolist() == getattr(plain, column).tolist()
    assert other.numbers.tolist() == [4, 3]


def test_headings_of_numbers_end_where_the_format_is_told(read: Callable[..., Any]) -> None:
    isis = "SANS2D Wed 28-AUG-2019\n 2 0 0 0 1 2 0\n 0 0 0 0\n 3 (F12.5,2E16.6)\n 0.01 1 .1 .001\n 0.02 1 .1 .001\n"
    nist = "LABEL: a\n MON LAMBDA\n 1e8 6 0\nThe 6 columns are | Q (1/A) | I(Q) |\n.01 1 .1 .001 .01 1\n"
    assert read(isis).q.tolist() == [0.01, 0.02]
    assert read(nist).q.tolist() == [0.01]


def test_points_outside_the_range_are_not_judged(read: Callable[..., Any], refusal: Callable[..., str]) -> None:
    text = "0 0 0\n0.01 1 .1\n0.02 2 .2\n0.03 1 nan\n"
    assert read(text, qmin=0.01, qmax=0.02).q.tolist() == [0.01, 0.02]
    assert refusal(text, qmin=0.01).startswith("c.txt, line 4: expected a positive dI, found nan")
    nothing = "c.txt: expected points with Q from 0.5 to 0.6 1/Å, found none; its 4 points run from 0 to 0.03"
    assert refusal(text, qmin=0.5, qmax=0.6) == nothing


def test_q_in_other_units(read: Callable[..., Any], refusal: Callable[..., str]) -> None:
    assert read("0.1 1 .1 .01\n", q_unit="1/nm").q == pytest.approx([0.01])
    assert read("0.1 1 .1 .01\n", q_unit="1/nm").dq == pytest.approx([0.001])
    assert refusal("0.1 1 .1\n", q_unit="furlong") == "c.txt: expected Q in 1/Å or 1/nm, found 'furlong'"


@pytest.mark.parametrize(
    "unit", ["1/A", "1/Å", "\u212b^-1", "Å⁻¹", "A-1", "1/angstrom", "Angstrom^-1", "1 / A", "Å^{-1}"]
)
def test_one_over_angstrom_in_all_its_spellings(modules: Modules, unit: str) -> None:
    assert modules["frame_units"].length_of(unit, "x") == 1.0


@pytest.mark.parametrize("unit", ["", "A", "nm", "1/", "1/m", "1/s", "deg", "-1"])
def test_other_units_of_q_are_refused(modules: Modules, unit: str) -> None:
    with pytest.raises(modules["frames"].FrameError, match=r"^x: expected Q in 1/Å or 1/nm, found "):
        modules["frame_units"].length_of(unit, "x")


# --- canSAS XML


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (xml(entry(*GOOD))[:-30], "c.xml: expected canSAS 1D XML, and it cannot be read: "),
        ("<?xml version='1.0'?><svg/>", "c.xml: expected canSAS 1D XML with <SASroot> outermost, found <svg>"),
        (xml(), "c.xml: expected frames, found not one"),
        (xml("<SASentry><Run>1</Run></SASentry>"), "c.xml: expected frames, found not one"),
        (xml(entry()), "c.xml: expected points, found none"),
        (xml(entry(GOOD[0].replace("Idev", "dev"))), "c.xml, Idata 1: expected <Idev>, found <Q>, <I>, <dev>"),
        (xml(entry(GOOD[0], "<Idata/>")), "c.xml, Idata 2: expected <Q>, found nothing"),
        (xml(entry(ROW.format("x", 1, 1))), "c.xml, Idata 1: expected a number in <Q>, found 'x'"),
        (xml(entry(GOOD[0], ROW.format(0.03, 1, "NaN"))), "c.xml, Idata 2: expected a positive dI, found nan"),
        (xml(entry(GOOD[0], ROW.format(0.03, 1, -1))), "c.xml, Idata 2: expected a positive dI, found -1"),
        (xml(entry(GOOD[0].replace("1/A", "1/s"))), "c.xml: expected Q in 1/Å or 1/nm, found '1/s'"),
        (xml(entry(GOOD[0], GOOD[1].replace("1/A", "1/nm"))), "c.xml: expected one unit for Q, found 1/A and 1/nm"),
        (xml(entry(GOOD[0].replace("<Idev unit='1/cm'", "<Idev unit='%'"))), "c.xml: expected one unit for I and dI"),
        (
            xml(entry(GOOD[0].replace("<I ", "<dQl unit='1/A'>.1</dQl><I "))),
            "c.xml: found dQl: the data are smeared by",
        ),
        (xml(entry(*GOOD), entry(*GOOD)), "frame: expected one of the 2 frames of c.xml, by number or name, got none"),
        (
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><SASroot>&e;</SASroot>",
            "c.xml: expected canSAS 1D XML without entities, found one: refused",
        ),
        ("<?xml version='1.0' encoding='klingon'?><SASroot/>", "c.xml: expected canSAS 1D XML, and it cannot be read"),
    ],
)
def test_bad_xml_is_refused_in_words(refusal: Callable[..., str], text: str, complaint: str) -> None:
    assert refusal(text, "c.xml").startswith(complaint)


def test_frames_of_xml_by_number_and_name(read: Callable[..., Any], refusal: Callable[..., str]) -> None:
    one, two = ROW.format(0.1, 1, 1), ROW.format(0.2, 1, 1)
    text = xml(
        entry(one, name="x_7"),
        entry(two, title="hot"),
        f"<SASentry><Run>9</Run><SASdata name='rear'>{one}</SASdata><SASdata>{two}</SASdata></SASentry>",
    )
    names = [read(text, "c.xml", wanted=str(number)).source.name for number in (1, 2, 3, 4)]
    assert names == ["x_7", "hot", "9/rear", "9/2"]
    assert read(text, "c.xml", wanted="hot").q.tolist() == [0.2]
    assert read(text, "c.xml", wanted="1", select="9/*").source.where == "c.xml, 9/rear"
    assert refusal(text, "c.xml", wanted="5") == "frame: expected a number from 1 to 4 for c.xml, got 5"
    assert refusal(text, "c.xml", wanted="0") == "frame: expected a number from 1 to 4 for c.xml, got 0"
    assert refusal(text, "c.xml", wanted="hut") == "frame: c.xml has no frame 'hut' among its 4; closest: 'hot'"
    assert refusal(text, "c.xml", select="z*") == (
        "c.xml: expected frames, found not one that suits select='z*' among its 4"
    )
    twice = xml(entry(one, name="a"), entry(two, name="a"))
    assert refusal(twice, "c.xml", wanted="a") == "frame: c.xml has 2 frames 'a'; say which by number: 1, 2"
    assert read(xml(entry(one, name="x_7")), "c.xml").source.name == "c.xml"


def test_a_measured_file_of_each_kind(modules: Modules, needs: Needs) -> None:
    def points(name: str, wanted: str | None = None) -> int:
        frame = modules["frame_files"].read_frame(measured(needs, name), wanted)
        return len(modules["frames"].within(frame, None, None).q)

    assert points("ISIS_Polymer_Blend_RT2.xml") == 124
    assert points("latex_smeared.xml", "1") == 301
    assert points("33837rear_1D_1.75_16.5_CanSAS1D.xml") == 66
    assert points("33837rear_1D_1.75_16.5_NXcanSAS.h5") == 66  # of an early form
    assert points("33837rear_1D_1.75_16.5_NXcanSAS_v3.h5") == 66
    assert points("FK403_0006_Nika.hdf") == 118
    assert points("apoferritin.txt") == 395
    assert points("VTMA.h5", "VTMA13b_2_870C_9min_0006_mrg") == 359
    with pytest.raises(modules["frames"].FrameError, match=r"dQl: the data are smeared by a slit"):
        points("latex_smeared.xml", "2")


# --- NXcanSAS


@pytest.fixture
def h5py(needs: Needs) -> Any:
    """Give h5py."""
    needs("h5py")
    import h5py

    return h5py


@pytest.fixture
def nexus(h5py: Any, tmp_path: Path) -> Callable[..., Path]:
    """Give a function that writes frames of given names, each as `change` leaves it."""

    def write(*names: str, change: Callable[[Any], None] = lambda data: None, ordered: bool = False) -> Path:
        path = tmp_path / "n.h5"
        with h5py.File(path, "w", track_order=ordered) as file:
            file.create_group("not_an_entry")
            for place, name in enumerate(names or ("run",), 1):
                top = file.create_group(name)
                top.attrs["canSAS_class"] = "SASentry"
                top["title"] = name
                data = top.create_group("sasdata")
                data.attrs.update({"canSAS_class": "SASdata", "signal": "I", "I_axes": "Q"})
                data["Q"], data["I"], data["Idev"] = [0.01 * place, 0.02 * place], [5.0, 4.0], [0.5, 0.4]
                data["Q"].attrs["units"], data["I"].attrs["units"] = "1/nm", "1/cm"
                change(data)
        return path

    return write


@pytest.fixture
def frame(modules: Modules) -> Callable[..., Any]:
    """Give a function that reads a frame of a file and cuts it."""
    return lambda path, *words: modules["frames"].within(modules["frame_files"].read_frame(path, *words), None, None)


def test_a_frame_of_nexus(nexus: Callable[..., Path], frame: Callable[..., Any]) -> None:
    def change(data: Any) -> None:
        data["dQ"] = np.array([0.1, 0.2], dtype=np.float32)
        data["Q"].attrs["resolutions"] = np.array([b"dQ"])
        data["Idev"].attrs["units"] = "1 / CM"

    found = frame(nexus(change=change))
    assert found.q == pytest.approx([0.001, 0.002])
    assert found.dq == pytest.approx([0.01, 0.02])
    assert (found.unit, found.source.name, found.error.tolist()) == ("1/cm", "n.h5", [0.5, 0.4])


def test_a_slit_without_length_is_none(nexus: Callable[..., Path], frame: Callable[..., Any]) -> None:
    def change(data: Any) -> None:
        data["dQl"], data["dQw"], data["Qdev"] = [0.0, 0.0], [0.0, 0.0], [0.1, 0.1]
        data["Q"].attrs["resolutions"] = "dQw,dQl"

    assert frame(nexus(change=change)).dq == pytest.approx([0.01, 0.01])


def test_frames_of_nexus_in_their_order(nexus: Callable[..., Path], frame: Callable[..., Any]) -> None:
    names = ("t_10", "t_9", "t_100")
    for ordered, wanted in ((False, ["t_9", "t_10", "t_100"]), (True, list(names))):
        path = nexus(*names, ordered=ordered)
        assert [frame(path, str(number)).source.name for number in (1, 2, 3)] == wanted
    assert frame(path, "t_9").source.where == "n.h5, t_9"
    assert frame(path, "1", "!t_10").source.name == "t_9"


def test_a_file_that_was_written_again_is_read_again(nexus: Callable[..., Path], frame: Callable[..., Any]) -> None:
    assert frame(nexus("a", "b"), "2").source.name == "b"
    assert frame(nexus("c", "d", "e"), "2").source.name == "d"


def test_several_data_sets_of_one_entry(nexus: Callable[..., Path], frame: Callable[..., Any]) -> None:
    def change(data: Any) -> None:
        data.parent.copy(data, data.parent, "other")

    path = nexus("run", change=change)
    assert frame(path, "1").source.name == "run/other"
    assert frame(path, "run/sasdata").source.where == "n.h5, run/sasdata"


def remade(name: str, values: Any, **attributes: str) -> Callable[[Any], None]:
    """Give a change that writes one column again."""

    def change(data: Any) -> None:
        del data[name]
        data[name] = values
        data[name].attrs.update(attributes)

    return change


def adding(name: str, values: list[float]) -> Callable[[Any], None]:
    """Give a change that adds a column."""
    return lambda data: data.__setitem__(name, values)


def without(name: str) -> Callable[[Any], None]:
    """Give a change that leaves one column out."""
    return lambda data: data.__delitem__(name)


def saying(name: str, value: Any) -> Callable[[Any], None]:
    """Give a change of one of a data set's attributes."""
    return lambda data: data.attrs.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (without("Idev"), "n.h5: expected a column Idev, found I, Q"),
        (without("Q"), "n.h5: expected a column Q, found I, Idev"),
        (saying("signal", "J"), "n.h5: expected a column J, found"),
        (saying("I_axes", ["Qx", "Qy"]), "n.h5: expected I along Q alone, found I along Qx, Qy"),
        (saying("I_axes", "Qx,Qy"), "n.h5: expected I along Q alone, found I along Qx, Qy"),
        (
            remade("I", [[1.0, 2.0]]),
            "n.h5: expected I as one column of at most 1,000,000 numbers, found float64 of shape",
        ),
        (remade("I", ["a", "b"]), "n.h5: expected I as one column of at most 1,000,000 numbers, found object"),
        (remade("I", [1.0, 2.0, 3.0]), "n.h5: expected columns of one length, found {'Q': 2, 'I': 3, 'dI': 2}"),
        (remade("I", [1.0, np.nan]), "n.h5, point 2: expected a finite I, found nan"),
        (remade("Idev", [0.5, np.nan]), "n.h5, point 2: expected a positive dI, found nan"),
        (remade("Idev", [0.5, -0.4]), "n.h5, point 2: expected a positive dI, found -0.4"),
        (remade("Idev", [0.5, 0.4], units="%"), "n.h5: expected one unit for I and dI, found % and 1/cm"),
        (remade("Q", [0.1, 0.2], units="deg"), "n.h5: expected Q in 1/Å or 1/nm, found 'deg'"),
        (adding("dQl", [0.1, 0.1]), "n.h5: found dQl: the data are smeared by a slit"),
        (saying("canSAS_class", "SASother"), "n.h5: expected frames, found not one"),
    ],
)
def test_bad_nexus_is_refused_in_words(
    nexus: Callable[..., Path], frame: Callable[..., Any], modules: Modules, change: Any, complaint: str
) -> None:
    with pytest.raises(modules["frames"].FrameError) as refused:
        frame(nexus(change=change))
    assert str(refused.value).startswith(complaint)


def test_an_empty_frame_is_refused(nexus: Callable[..., Path], frame: Callable[..., Any], modules: Modules) -> None:
    def change(data: Any) -> None:
        for name in ("Q", "I", "Idev"):
            remade(name, np.zeros(0))(data)

    with pytest.raises(modules["frames"].FrameError, match=r"^n.h5: expected points, found none$"):
        frame(nexus(change=change))


def test_a_column_of_absurd_length_is_refused_unread(
    nexus: Callable[..., Path], frame: Callable[..., Any], modules: Modules
) -> None:
    def change(data: Any) -> None:
        del data["I"]
        data.create_dataset("I", (10**12,), dtype="f8", chunks=(1024,), compression="gzip")

    with pytest.raises(modules["frames"].FrameError, match=r"found float64 of shape \(1000000000000,\)$"):
        frame(nexus(change=change))


def test_nothing_outside_the_file_is_read(
    h5py: Any, nexus: Callable[..., Path], frame: Callable[..., Any], modules: Modules, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["I"] = [1.0, 2.0]
        other.create_group("run").attrs["canSAS_class"] = "SASentry"
    (tmp_path / "secret.bin").write_bytes(bytes(16))

    def linked(data: Any) -> None:
        del data["I"]
        data["I"] = h5py.ExternalLink("other.h5", "/I")

    def raw(data: Any) -> None:
        del data["I"]
        data.create_dataset("I", (2,), dtype="f8", external=[(str(tmp_path / "secret.bin"), 0, 16)])

    def virtual(data: Any) -> None:
        del data["I"]
        layout = h5py.VirtualLayout((2,), dtype="f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "I", (2,))
        data.create_virtual_dataset("I", layout)

    def entries(data: Any) -> None:
        data.file["linked"] = h5py.ExternalLink("other.h5", "/run")

    for change in (linked, raw, virtual):
        with pytest.raises(modules["frames"].FrameError, match="found a link to another: it is not followed"):
            frame(nexus(change=change))
    assert frame(nexus(change=entries)).source.name == "n.h5"


@pytest.mark.parametrize("part", [0.001, 0.05, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(
    nexus: Callable[..., Path], frame: Callable[..., Any], modules: Modules, part: float
) -> None:
    path = nexus("a", "b", "c")
    whole = path.read_bytes()
    path.write_bytes(whole[: max(16, int(part * len(whole)))])
    with pytest.raises(modules["frames"].FrameError, match=r"^n.h5: expected NXcanSAS in a whole HDF5 file, found one"):
        frame(path, "1")


def test_without_h5py_the_sentence_says_what_to_install(
    nexus: Callable[..., Path], frame: Callable[..., Any], modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = nexus()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(modules["frames"].FrameError, match=r"needs h5py, .*: pip install park-spool\[fit\]$"):
        frame(path)


HOLD = "import h5py, sys; file = h5py.File(sys.argv[1], 'a'); print('open', flush=True); sys.stdin.read()"


def test_a_file_that_another_process_holds_can_be_read(nexus: Callable[..., Path], frame: Callable[..., Any]) -> None:
    """No lock is asked for: on a shared disk it might be refused, or held by a process that is long gone."""
    path = nexus()
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
        assert len(frame(path).q) == 2
        holder.communicate()
