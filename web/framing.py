"""What stands in every page itself, so that it is painted without waiting for a second answer: its style and its theme.

The style sheet is allowed by its hash, as Content Security Policy Level 3 has it; styles of anything else are not.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from flask import request
from markupsafe import Markup

THEMES = ("light", "dark")
THEME = "park-theme"  # the cookie of a reader's choice, made by static/theme.js
SHEET = Markup((Path(__file__).parent / "static" / "park.css").read_text(encoding="utf-8"))
SHEET_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(SHEET.encode()).digest()).decode()}'"


def theme() -> str:
    """Return what the reader has chosen, empty for what the system says."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in THEMES else ""
