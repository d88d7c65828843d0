"""A reflectivity curve with its fit as an ORSO file (.ort), written by orsopy.

Columns Qz, R, sR, sQz (standard deviations, as ORSO wants them) and the model; without a known resolution the first
three alone.  What is not known of the measurement is left open in the header; what session and fit say stands there.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import park_spool
from park_spool.delivering.answer import Answer, Fit, GroupAnswer

REFLECTIVITY = "reflectivity"
FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))  # of a Gaussian


def is_reflectivity(curve: Mapping[str, Any]) -> bool:
    """Say whether a curve is one of reflectivity: by its kind, or else by its labels.

    >>> is_reflectivity({"kind": "reflectivity"}), is_reflectivity({"xlabel": "Q", "ylabel": "I"})
    (True, False)
    """
    kind = curve.get("kind")
    return kind == REFLECTIVITY or (kind is None and (curve.get("xlabel"), curve.get("ylabel")) == ("Q", "R"))


def ort(answer: Answer, group: GroupAnswer, fit: Fit) -> str | None:
    """Write a fit's curve as the text of an .ort file; None if it is no reflectivity, or orsopy is not installed."""
    if fit.curve is None or not is_reflectivity(fit.curve):
        return None
    try:
        from orsopy import fileio
    except ImportError:
        return None
    columns, data = _columns(fit.curve)
    header = fileio.Orso.empty()
    header.data_source.owner = fileio.Person(answer.user or None, None)
    header.data_source.sample.name = fit.label
    header.data_source.measurement.data_files = list(fit.data) or None
    header.reduction.software = fileio.Software("park-spool", park_spool.__version__)
    header.reduction.comment = _comment(answer, group, fit)
    header.columns = columns
    header.data_set = fit.label
    target = io.StringIO()
    fileio.save_orso([fileio.OrsoDataset(header, data)], target)
    return target.getvalue()


def _columns(curve: Mapping[str, Any]) -> tuple[list[Any], Any]:
    import numpy
    from orsopy import fileio

    columns = [fileio.Column("Qz", "1/angstrom"), fileio.Column("R"), fileio.ErrorColumn("R", value_is="sigma")]
    found = [curve["x"], curve["y"], curve.get("dy") or [None] * len(curve["x"])]
    if curve.get("dx"):
        per_sigma = FWHM_PER_SIGMA if curve.get("dxkind", "FWHM") == "FWHM" else 1.0
        columns.append(fileio.ErrorColumn("Qz", error_type="resolution", value_is="sigma"))
        found.append([width / per_sigma for width in curve["dx"]])
        if curve.get("model"):
            columns.append(fileio.Column("model", comment="the fitted reflectivity"))
            found.append(curve["model"])
    return columns, numpy.array(found, dtype=float).T


def _comment(answer: Answer, group: GroupAnswer, fit: Fit) -> str:
    words = [f"fit of job {fit.job} of session {answer.sid} by {group.task}: chisq {fit.chisq:.6g}"]
    words += [f"chisq/dof {fit.reduced_chisq:.4g} (dof {fit.dof})"] if fit.reduced_chisq is not None else []
    return ", ".join(words)
