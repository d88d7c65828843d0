"""`python -m park_spool` is `park`: for units and scripts that name a Python and not a console script."""

from __future__ import annotations

from park_spool.cli.main import main

if __name__ == "__main__":
    main(prog_name="park")
