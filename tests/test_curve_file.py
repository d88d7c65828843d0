"""Tests of the reader of reflectivity curves: what it takes, and the sentence for what it refuses."""

# ruff: noqa: F811  (fixtures are imported, and named again where they are asked for)
from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from reflectivity_service import modules  # noqa: F401


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "c.txt: expected rows of numbers Q, R, dR, dQ, found none in the file"),
        ("Q R dR\n# nothing\n", "c.txt: expected rows of numbers Q, R, dR, dQ, found none in the file"),
        ("0.01 1.0\n", "c.txt, line 1: expected at least three columns (Q, R, dR), found 2"),
        ("# Q R\n\n0.01 1 .1\n0.02 1\n", "c.txt, line 4: expected 3 columns as in the first row, found 2"),
        ("0.01 1 .1\n0.02 one .1\n", "c.txt, line 2: expected a number for R, found 'one'"),
        ("0.01 1 .1\nsecond part\n", "c.txt, line 2: expected 3 columns as in the first row, found 2"),
        ("0.01 1 .1\n0.02 nan .1\n", "c.txt, line 2: expected a number for R, found 'nan'"),
        ("0.01 1 .1\n0.02 1 0\n", "c.txt, line 2: expected a positive dR, found 0"),
        ("0.01 1 -.1 .001\n", "c.txt, line 1: expected a positive dR, found -.1"),
        ("0 1 .1 .001\n", "c.txt, line 1: expected a positive Q, found 0"),
        ("0.01 1 .1 0.0\n", "c.txt, line 1: expected a positive dQ, found 0.0"),
        (
            "# # ORSO\n.01 1 .1\n# data_set: 2\n.01 1 .1\n",
            "c.txt, line 3: expected one curve, found a second",
        ),
        ("\x00\x01HDF", "c.txt: expected text in columns Q, R, dR, dQ, found a binary file"),
    ],
)
def test_bad_data_files_are_refused_with_file_and_line(
    modules: dict[str, ModuleType], tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "c.txt"
    path.write_text(text)
    with pytest.raises(modules["curve_file"].CurveFileError) as refused:
        modules["curve_file"].read_curve(path)
    assert str(refused.value).startswith(complaint)


def test_headings_separators_and_order_do_not_matter(modules: dict[str, ModuleType]) -> None:
    parse = modules["curve_file"].parse_curve
    plain = parse("0.01 1 .1 .001\n0.02 -.5 .1 .002\n", "a")
    assert plain.r == (1.0, -0.5)
    assert parse("Q (1/A), R, dR\n0.02, -.5, .1, .002, 9 # last\n0.01;1;.1;.001;9\n", "b") == plain


def test_orso_resolution_is_a_standard_deviation(modules: dict[str, ModuleType]) -> None:
    curve = modules["curve_file"].parse_curve("# # ORSO reflectivity data file\n0.01 1 .1 .001\n", "a.ort")
    assert curve.dq == pytest.approx((0.00235482,))
