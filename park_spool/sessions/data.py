"""Data sets: what an `href` may say, and the file on this machine that it means.

    film.txt                              a file that came in the submission's folder
    /shared/data/film.txt                 a file under a root that the site allows
    package:refnx/analysis/tests/x.txt    a file inside an installed package, which is not imported for it
    beamline:/2026/run7/film.ort          a file of a source that the site has set up
    beamline:/2026/run7/*.ort             all files of it that match; becomes one of the above for each at admission

Owns: the grammar of `href`, checked at admission and again here, and `digest`.  Guarantees: a path that is
given out is a regular file really inside its root, links followed, and has the digest that was asked for;
everything else is a DataError that names the data set.  Errors that pass (a cut cable) stay OSError.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from park_spool.catalog.suggestions import listing, quoted
from park_spool.errors import DataError, is_temporary
from park_spool.places import NOWHERE, Places
from park_spool.sessions.element import Element
from park_spool.sessions.session import DataRef
from park_spool.sources import packages
from park_spool.sources.paths import PUT, clean, clean_pattern, has_wildcard, split

DATA = "data"
PACKAGE = "package:"
DIRECT, DATACENTER = "direct", "datacenter"
WAYS = (DATACENTER, DIRECT)

Fetch = Callable[[DataRef], Path | None]  # None: it is to be read where it is

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_PACKAGE_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
PATTERN_PLACE = "one may stand in a <data> of an <input> without a <scan> beside it, and nowhere else"
_FORMS = f"a file of the submission, an absolute path under an allowed root, SOURCE:/PATH, or {PACKAGE}NAME/PATH"


def check_href(
    href: str, files: frozenset[str] | None, places: Places = NOWHERE, is_pattern_allowed: bool = False
) -> None:
    """Check an href as far as words go, without touching a disk; DataError says what it may be.

    `files` are the names that came with the session, None for a session file alone.

    >>> check_href("film.txt", frozenset({"film.txt"}))
    >>> check_href("beamline:/run7/film.ort", None, Places(sources=("beamline",)))
    """
    if not href or "\0" in href or "\\" in href or len(href) > 4096:
        raise DataError(f"href={quoted(href)} must be {_FORMS}, written with '/'")
    if ".." in PurePosixPath(href).parts:
        raise DataError(f"href={quoted(href)} climbs with '..', which no path in a session may")
    if href.startswith(PACKAGE):
        _split_package(href)
    elif _SCHEME.match(href):
        _check_source(href, places, is_pattern_allowed)
    elif href.startswith("/"):
        _root_of(href, places.roots)
    elif href.removeprefix("./") not in (files or ()):
        raise DataError(_not_submitted(href, files))


def _check_source(href: str, places: Places, is_pattern_allowed: bool) -> None:
    named = split(href)
    if named is None or named[0] not in places.sources:
        known = ", ".join(places.sources) or "none: see [sources] in park.toml"
        raise DataError(f"href={quoted(href)} names no source of this site; its sources: {known}; expected {_FORMS}")
    name, path = named
    if places.is_barred(name):
        who = places.user or "somebody whom this machine does not know"
        raise DataError(f"href={quoted(href)}: the source {name!r} is not for {who}")
    if not has_wildcard(path):
        clean(path)
        return
    if not is_pattern_allowed:
        raise DataError(f"href={quoted(href)} is a pattern; {PATTERN_PLACE}")
    if name == PUT:
        raise DataError(f"href={quoted(href)} is a pattern of {PUT}:, which has none; name each file")
    clean_pattern(path)


def _not_submitted(href: str, files: frozenset[str] | None) -> str:
    if files is None:
        return (
            f"href={quoted(href)} names a file of the submission, but the session came alone: "
            "submit a folder or zip with the session and its data"
        )
    return f"href={quoted(href)} is not in the submission; files in it: {listing(href, files)}"


def _split_package(href: str) -> tuple[str, PurePosixPath]:
    name, _, path = href.removeprefix(PACKAGE).partition("/")
    if not _PACKAGE_NAME.fullmatch(name) or not path or path.startswith("/"):
        raise DataError(f"href={quoted(href)} must read {PACKAGE}NAME/PATH with the name of a Python package")
    return name, PurePosixPath(path)


def _root_of(href: str, roots: Iterable[Path]) -> Path:
    for root in roots:
        if Path(href).is_relative_to(root):
            return root
    allowed = ", ".join(str(root) for root in roots) or "none: see data_roots in park.toml"
    raise DataError(f"href={quoted(href)} lies under no root that is allowed here; allowed: {allowed}")


def resolve(ref: DataRef, files: Path, roots: Sequence[Path], fetch: Fetch | None = None) -> Path:
    """Find the file that a reference means; DataError if there is none, it may not be read or differs.

    `files` is the folder that came with the session, `roots` are the folders that absolute paths may lie in; `fetch`
    brings what a source has, and holds it against its digest.
    """
    if ref.via not in (None, *WAYS):
        raise DataError(f"data set {ref.name!r}: via={quoted(ref.via)} is not known here, expected {' or '.join(WAYS)}")
    try:
        fetched = fetch(ref) if fetch is not None and may_be_far(ref.href) else None
        if fetched is not None:
            return fetched
        path = _inside(ref.href, files, roots)
        if ref.sha256 is not None and (found := digest(path)) != ref.sha256:
            raise DataError(f"{path} has the SHA-256 {found}, the session asks for {ref.sha256}")
    except DataError as error:
        raise DataError(f"data set {ref.name!r}: {error}") from error
    except OSError as error:
        if is_temporary(error.errno):
            raise
        raise DataError(f"data set {ref.name!r}: {quoted(ref.href)} cannot be read: {error.strerror}") from error
    return path


def is_remote(href: str) -> bool:
    """Say whether an href names a file of a source.

    >>> is_remote("beamline:/run7/film.ort"), is_remote("package:refnx/film.ort"), is_remote("run7/film.ort")
    (True, False, False)
    """
    return not href.startswith(PACKAGE) and split(href) is not None


def is_pattern(href: str) -> bool:
    """Say whether an href names all files of a source that match.

    >>> is_pattern("beamline:/run7/*.ort"), is_pattern("beamline:/run7/film.ort"), is_pattern("run7/*.ort")
    (True, False, False)
    """
    return is_remote(href) and has_wildcard(href)


def may_be_far(href: str) -> bool:
    """Say whether an href may come through a data centre, where the site has one: what is in packages does, too."""
    return href.startswith(PACKAGE) or is_remote(href)


def _inside(href: str, files: Path, roots: Sequence[Path]) -> Path:
    if ".." in PurePosixPath(href).parts:
        raise DataError(f"href={quoted(href)} climbs with '..', which no path in a session may")
    if href.startswith(PACKAGE):
        name, path = _split_package(href)
        return _file_in(packages.folder_of(name), path)
    if href.startswith("/"):
        root = _root_of(href, roots)
        return _file_in(root, PurePosixPath(href).relative_to(root))
    return _file_in(files, PurePosixPath(href))


def _file_in(root: Path, path: PurePosixPath) -> Path:
    # A link in a submission may point anywhere, so the real file must lie in the real folder.
    found, real_root = (root / path).resolve(), root.resolve()
    if not found.is_relative_to(real_root):
        raise DataError(f"{path} is a link that leaves {root}")
    if not found.is_file():
        raise DataError(f"there is no file {path} in {root}")
    return found


def with_data(element: Element, group_data: Sequence[DataRef], resolve: Callable[[DataRef], Path]) -> Element:
    """Give an input its data: a `<data name= href= path=/>` child for each data set, the group's and its own.

    Its own wins where both have a name. `resolve` finds a reference's file and may remember it.
    """
    refs = refs_of(element, group_data)
    if not refs:
        return element
    resolved = tuple(_resolved(ref, resolve(ref)) for ref in refs)
    others = tuple(child for child in element.children if child.tag != DATA)
    return Element(element.tag, element.attributes, element.text, others + resolved)


def refs_of(element: Element, group_data: Sequence[DataRef]) -> list[DataRef]:
    """Return the data sets of an input: the group's and its own, which wins where both have a name."""
    own = [_reference(child) for child in element.children if child.tag == DATA]
    return list(({ref.name: ref for ref in group_data} | {ref.name: ref for ref in own}).values())


def _reference(element: Element) -> DataRef:
    attributes = element.attributes
    sha256 = attributes.get("sha256")
    name, href = attributes["name"].strip(), attributes["href"].strip()
    return DataRef(name, href, sha256.lower() if sha256 else None, attributes.get("via"))


def _resolved(ref: DataRef, path: Path) -> Element:
    attributes = {"name": ref.name, "href": ref.href, "path": str(path)}
    return Element(DATA, attributes | ({"sha256": ref.sha256} if ref.sha256 else {}))


def digest(path: Path) -> str:
    """Give the SHA-256 of a file's content as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
