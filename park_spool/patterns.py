"""The one regular expression of each kind of name under the spool; PROTOCOL.md section 3 is the text.

naming.py and wishes.py make and read names by it.
"""

from __future__ import annotations

import re

_SID = r"(?P<sid>\d{8}-\d{6}-[0-9a-z]{4})"
_NODE = r"(?P<node>[a-z0-9][a-z0-9-]{0,39}_\d+_[0-9a-z]{6})"
_SEQ = r"(?P<seq>\d{9})"
_RANDOM = r"(?P<random>[0-9a-z]{6})"
_LABEL = r"[a-z0-9_.-]+"
_TAG = rf"{_LABEL}(,{_LABEL})*(\+{_LABEL}(,{_LABEL})*)*"
_RANGE = r"(?P<first>\d{9})-(?P<last>\d{9})"
_UNIT = _SID + r"\.(?P<group>\d{3})\.(?P<joblist>\d{3})\." + _RANGE + r"\.(?P<round>\d{2})\.(?P<attempt>\d{2})"
_TEXTS = {
    "SID": _SID,
    "UNIT": _UNIT,
    "NODE": _NODE,
    "RANK": r"(?P<session>\d{3})-(?P<joblist>\d{3})" + rf"(\+(?P<tag>{_TAG}))?",
    "reply": _UNIT + "@" + _NODE,
    "heartbeat": _NODE + r"\." + _SEQ + r"\.json",
    "lock": r"(?P<role>spoold|reduced|master)\.(?P<epoch>\d{6})\." + _NODE + r"\." + _SEQ,
    "tally": r"tally\." + _NODE + r"\." + _SEQ,
    "bundle": _NODE + r"\." + _SEQ,
    "snapshot": r"snapshot\." + _NODE + r"\." + _SEQ + r"\.sqlite",
    "expired": _NODE + r"\.expired",
    "control": r"control\."
    + _SEQ
    + r"\."
    + _RANDOM
    + r"\.(?P<verb>cancel|delete|pause|resume|priority|reduce)(\.(?P<argument>-?\d{1,3}))?",
    "retry": r"retry\.(?P<round>\d{2})\." + _RANDOM,
    "start": r"start\.(?P<group>\d{3})\.(?P<joblist>\d{3})\.(?P<job>\d{9})",
    "told": r"told\.(?P<edition>\d{6})\.(?P<event>started|done|failed|cancelled)\.(?P<channel>mail|webhook)",
    "delivered": _SID + r"\.(?P<edition>[2-9]|[1-9]\d{1,5})",
    "tombstone": _SID + r"\.deleted",
    "notice": _NODE + r"\.(?P<verb>drain|bad|stop|ended)",
    "away": rf"(?P<alias>{_LABEL})\.away",
    "pilot": r"(?P<engine>slurm|pbs|lsf|condor|kubernetes|local|dask)\.(?P<job>[A-Za-z0-9_-]{1,100})\." + _RANDOM,
    "payload": _RANGE,
    "alive": r"alive\." + _SEQ,
    "kept": r"(?P<sha256>[0-9a-f]{64})",
}
# Only ASCII digits: int() reads others too, and a name that two spellings could mean would never be found.
PATTERNS: dict[str, re.Pattern[str]] = {word: re.compile(text, re.ASCII) for word, text in _TEXTS.items()}
