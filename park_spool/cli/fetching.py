"""`park fetch`: the files that jobs left in `$PARK_OUTPUT`, listed, or copied out with their digests checked.

    files/SID/SHA256 ──read, digest──► DIR/.NAME.part ──rename──► DIR/NAME

Guarantees: a file under its name is whole and is what the job left; nothing of the user's is overwritten; no name leads
out of DIR. A file that differs from its digest is not copied.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import click

from park_spool import config, job_names
from park_spool.archive.rows import FileRow
from park_spool.cli import archived
from park_spool.cli.options import FAILED, FINE, guarded, json_option, sid_argument, spool_option
from park_spool.cli.status import table
from park_spool.errors import DataError, NotFound
from park_spool.limits import size_words
from park_spool.looking.standing import Look
from park_spool.patterns import PATTERNS

CHUNK = 1 << 20


@click.command()
@sid_argument
@click.argument("job", metavar="[JOB]", required=False)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@spool_option
@json_option
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Copy them into this folder.")
@guarded
def fetch(
    prefix: str, job: str | None, names: tuple[str, ...], spool: str | None, as_json: bool, output: Path | None
) -> None:
    """List the files that jobs left to be kept; with -o copy them into a folder, each with its digest checked.

    Of a job (1.1.17), or of all jobs of a session, which then get a folder each. Nothing is overwritten.

    \b
    Examples:
      park fetch 20261123-025532-k3j9
      park fetch 20261123-025532-k3j9 1.1.17 -o results
      park fetch 20261123-025532-k3j9 1.1.17 fit.png
    """
    settings = config.load(config.find_spool(spool))
    sid = Look(settings).one(prefix).sid
    wanted = job_names.read_one(job) if job is not None else None
    rows = chosen(archived.reader(settings).files(sid, wanted), names, f"job {job} of {sid}" if job else sid)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    elif output is None:
        for line in table([(row.job, row.name, size_words(row.size), row.sha256[:12]) for row in rows]):
            click.echo(line)
    if output is not None:
        sys.exit(copy_all(rows, settings.layout.kept(sid), output, is_one_job=job is not None))


def chosen(rows: list[FileRow], names: tuple[str, ...], whose: str) -> list[FileRow]:
    """Choose the files that are named, all if none is. Raises NotFound if there are none, or not that one."""
    if not rows:
        raise NotFound(f"no file was kept of {whose}: a job keeps what it writes into the folder $PARK_OUTPUT")
    have = {row.name for row in rows}
    if missing := [name for name in names if name not in have]:
        known = ", ".join(sorted(have)[:5])
        raise NotFound(f"no file {missing[0]!r} was kept of {whose}; there are {known}; nothing was copied")
    return [row for row in rows if not names or row.name in names]


def copy_all(rows: Iterable[FileRow], kept: Path, output: Path, is_one_job: bool) -> int:
    """Copy files out, whatever becomes of each; return the exit code."""
    code = FINE
    for row in rows:
        try:
            target = place(output if is_one_job else output / row.job, row.name)
            copy(kept / row.sha256, target, row)
        except (DataError, OSError) as error:
            click.echo(f"{row.job} {row.name}: {error}", err=True)
            code = FAILED
        else:
            click.echo(str(target))
    return code


def place(folder: Path, name: str) -> Path:
    """Return where a kept file goes below a folder. Raises DataError if its name leads out of it.

    >>> place(Path("results"), "plots/fit.png").as_posix()
    'results/plots/fit.png'
    """
    path = PurePosixPath(name)
    if not path.parts or ".." in path.parts or path.is_absolute() or "\0" in name:
        raise DataError(f"its name {name!r} leads out of {folder}; it was not copied")
    return folder / path


def copy(source: Path, target: Path, row: FileRow) -> None:
    """Copy one file, whole or not at all. Raises DataError if it is not what the job left, or would overwrite."""
    if target.exists() or target.is_symlink():
        if target.is_file() and digest(target) == row.sha256:
            return
        raise DataError(f"{target} is there already and differs; nothing was overwritten")
    if not PATTERNS["kept"].fullmatch(row.sha256):
        raise DataError(f"{row.sha256!r} is no SHA-256; it was not copied")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if digest(source, part) != row.sha256:
            raise DataError(f"{source} is not what the job left: its SHA-256 differs; it was not copied")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def digest(path: Path, copy: Path | None = None) -> str:
    """Return the SHA-256 of a file in hexadecimal digits; `copy` gets its bytes."""
    found = hashlib.sha256()
    with path.open("rb") as file, (copy or Path(os.devnull)).open("wb") as out:
        while chunk := file.read(CHUNK):
            found.update(chunk)
            out.write(chunk)
    return found.hexdigest()
