"""List the services beside this one, or the files of one of them: what a node really has, and since when."""

from __future__ import annotations

import sys
import time
from pathlib import Path

SERVICES = Path(__file__).resolve().parent.parent


def listed(folder: Path) -> list[str]:
    """Write a line for each file or folder: time of the last change (UTC), size in bytes, name."""
    return [_line(path) for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__"))]


def _line(path: Path) -> str:
    status = path.stat()
    changed = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(status.st_mtime))
    return f"{changed}  {status.st_size:>9,}  {path.name}{'/' if path.is_dir() else ''}"


def main(name: str) -> int:
    """Print the listing; 1 where there is no such service."""
    if name != "." and name not in (path.name for path in SERVICES.iterdir()):
        print(f"there is no service {name!r} here", file=sys.stderr)
        return 1
    print("\n".join(listed(SERVICES / name)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
