"""Wheels, put together again from what is installed here: what runs here is what runs elsewhere.

No source tree, build tool or network has a part in it. park-spool itself may be an editable install, whose files
stand in a checkout (setup.py says where); all other packages are packed from the files that their RECORD names.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath

from park_spool.errors import NotFound

NAME = "park-spool"
ROOMS = ("datacenter", "web", "services")  # beside the package in a checkout, in it once installed
MOMENT = (1980, 1, 1, 0, 0, 0)  # the same files make the same wheel
OWN_WHEEL = b"Wheel-Version: 1.0\nGenerator: park-spool\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
OF_THE_INSTALL = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "top_level.txt")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on the disk; `digest` tells it from every other one with the same name."""

    path: Path
    digest: str


def own_wheel(folder: Path) -> Wheel:
    """Write the wheel of the park-spool that runs here into a folder. Raises NotFound if it was never installed."""
    distribution = _own()
    info = f"park_spool-{distribution.version}.dist-info"
    writer = _Writer(folder / f"park_spool-{distribution.version}-py3-none-any.whl", zipfile.ZIP_DEFLATED)
    with writer.archive:
        for name, path in own_files():
            writer.add_file(name, path)
        for name in ("METADATA", "entry_points.txt", "top_level.txt"):
            if (text := distribution.read_text(name)) is not None:
                writer.add(f"{info}/{name}", text.encode())
        for name, path in _licenses(distribution):
            writer.add_file(f"{info}/licenses/{name}", path)
        writer.add(f"{info}/WHEEL", OWN_WHEEL)
        return writer.finish(info)


def _own() -> Distribution:
    """Find park-spool's metadata; a folder that a build left in a checkout has none that pip could use."""
    for distribution in metadata.distributions(name=NAME):
        if distribution.read_text("METADATA") is not None:
            return distribution
    raise NotFound("park-spool was not installed here, so it cannot be packed: pip install it, or make in its folder")


def own_files() -> Iterator[tuple[str, Path]]:
    """Yield the package's files in order: their names in a wheel, and where they are."""
    package = Path(__file__).resolve().parent.parent
    rooms = {"park_spool": package}
    for room in ROOMS:
        if not (package / room).is_dir():
            rooms[f"park_spool/{room}"] = package.parent / room
    for inside, folder in rooms.items():
        for path in sorted(folder.rglob("*")):
            words = path.relative_to(folder).parts
            if path.is_file() and "__pycache__" not in words and not any(word.startswith(".") for word in words):
                yield "/".join((inside, *words)), path


def _licenses(distribution: Distribution) -> Iterator[tuple[str, Path]]:
    for path in distribution.files or ():
        if path.parent.name == "licenses":
            yield path.name, Path(str(path.locate()))


def repack(distribution: Distribution, folder: Path) -> Path:
    """Write the wheel of any installed package into a folder.

    Raises NotFound if it was not installed from a wheel, or something of it is gone.
    """
    name = distribution.metadata["Name"]
    lines = (distribution.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")]
    found = [path for path in distribution.files or () if path.parent.name.endswith(".dist-info")]
    if not tags or not found:
        raise NotFound(f"{name} was not installed from a wheel here, so it cannot be packed again")
    info = found[0].parent.name
    title = info.removesuffix(".dist-info")
    writer = _Writer(folder / f"{title}-{_together(tags)}.whl", zipfile.ZIP_STORED)
    generated = {entry.name for entry in distribution.entry_points if entry.group in ("console_scripts", "gui_scripts")}
    with writer.archive:
        for path in distribution.files or ():
            if (inside := _name_inside(path, title, generated)) is not None:
                source = Path(os.path.normpath(str(path.locate())))
                if not source.is_file():
                    raise NotFound(f"{name} cannot be packed: {source} is gone; install it again")
                writer.add_file(inside, source)
        return writer.finish(info).path


def _together(tags: Iterable[str]) -> str:
    """Write tags as a file's name has them.

    >>> _together(["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"])
    'cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64'
    """
    parts = zip(*(tag.split("-") for tag in tags), strict=True)
    return "-".join(".".join(sorted(set(part))) for part in parts)


def _name_inside(path: PurePosixPath, title: str, generated: set[str]) -> str | None:
    """Say what a file of an installation is called in a wheel, None if pip made it.

    >>> _name_inside(PurePosixPath("../../../bin/ruff"), "ruff-0.17", set())
    'ruff-0.17.data/scripts/ruff'
    """
    words = path.parts
    if "__pycache__" in words or (len(words) == 2 and words[0] == f"{title}.dist-info" and words[1] in OF_THE_INSTALL):
        return None
    if words[0] != "..":
        return str(path)
    inside = [word for word in words if word != ".."]
    if inside[0] == "bin":
        return None if inside[-1] in generated else f"{title}.data/scripts/{inside[-1]}"
    return f"{title}.data/data/{'/'.join(inside)}"


@dataclass(slots=True)
class _Writer:
    """Writes a wheel, and keeps its RECORD."""

    path: Path
    compression: int
    archive: zipfile.ZipFile = field(init=False)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.archive = zipfile.ZipFile(self.path, "w", self.compression)

    def add_file(self, name: str, path: Path) -> None:
        data = path.read_bytes()
        if ".data/scripts/" in name and data.startswith(b"#!") and b"python" in data.partition(b"\n")[0]:
            data = b"#!python\n" + data.partition(b"\n")[2]  # pip writes the new place there
        self.add(name, data, is_executable=bool(path.stat().st_mode & 0o100))

    def add(self, name: str, data: bytes, is_executable: bool = False) -> None:
        entry = zipfile.ZipInfo(name, MOMENT)
        entry.external_attr = (stat.S_IFREG | (0o755 if is_executable else 0o644)) << 16
        entry.compress_type = self.compression
        self.archive.writestr(entry, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.lines.append(f"{_quoted(name)},sha256={digest},{len(data)}")

    def finish(self, info: str) -> Wheel:
        record = "\n".join((*self.lines, f"{info}/RECORD,,", ""))
        self.archive.writestr(zipfile.ZipInfo(f"{info}/RECORD", MOMENT), record)
        return Wheel(self.path, hashlib.sha256(record.encode()).hexdigest())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
