"""Print which Python this node runs, where, and the version of each package that it can import."""

from __future__ import annotations

import platform
import sys
from importlib import metadata


def packages() -> list[str]:
    """Write a line for each installed package."""
    found = {str(one.metadata["Name"]): one.version for one in metadata.distributions() if one.metadata["Name"]}
    return [f"{name} {version}" for name, version in sorted(found.items(), key=lambda pair: pair[0].lower())]


def main() -> None:
    print(f"Python {platform.python_version()} ({sys.executable})\n{platform.platform()}\n")
    print("\n".join(packages()))


if __name__ == "__main__":
    main()
