"""Watching over the askers of sessions of calls: what a program that died cannot end, spoold ends for it.

    calls/SID/alive.SEQ stands still, or its process is gone ──► `delete` is said in sessions/SID

Times are spoold's own: how long it has been seeing the same sequence. A process that is known to live is never given
up: it may be held up by one long call of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from park_spool import controls, naming, processes, sealed
from park_spool.errors import TornError
from park_spool.member import Member
from park_spool.processes import Identity
from park_spool.sightings import Sightings
from park_spool.tending.open_sessions import OpenSession

log = logging.getLogger(__name__)

WHO = "park-spoold, since its program gave no sign of life"  # in whose name it is said


@dataclass(slots=True)
class Askers:
    """One spoold's watch; `sessions` is the memory that its parts share."""

    member: Member
    sessions: Mapping[str, OpenSession]
    _sightings: Sightings = field(default_factory=Sightings)
    _identities: dict[str, tuple[int, Identity]] = field(default_factory=dict)

    def step(self) -> None:
        """Look for signs of life, and speak for those who are gone."""
        asking = [sid for sid, opened in self.sessions.items() if opened.grows and not opened.controls.is_stopped]
        seqs = {sid: self._newest(sid) for sid in asking}
        self._sightings.look(seqs, self.member.monotonic())
        self._identities = {sid: known for sid, known in self._identities.items() if sid in seqs}
        for sid, seq in seqs.items():
            if self._is_gone(sid, seq):
                self._speak_for(sid)

    def _newest(self, sid: str) -> int:
        folder = self.member.layout.calls(sid)
        if self.member.config.is_shared:
            with suppress(PermissionError):  # it is its asker's, who may be another user
                self.member.disk.refresh(folder)
        return max((naming.parse_alive(name) or 0 for name in self.member.disk.names(folder)), default=0)

    def _is_gone(self, sid: str, seq: int) -> bool:
        if seq and self._identities.get(sid, (0,))[0] != seq:
            self._read(sid, seq)
        known = self._identities.get(sid)
        is_alive = processes.is_alive(known[1]) if known else None
        if is_alive is not None:
            return not is_alive
        return self._sightings.silence(sid, self.member.monotonic()) > self.member.config.claim_expiry

    def _read(self, sid: str, seq: int) -> None:
        data = self.member.disk.read(self.member.layout.calls(sid) / naming.alive_name(seq))
        if data is None:
            return
        try:
            identity = sealed.unseal_json(data).get("identity")
        except TornError:
            return  # CRASH: torn by a power cut; the next one follows, or silence does
        if isinstance(identity, dict):
            self._identities[sid] = seq, Identity.from_json(identity)

    def _speak_for(self, sid: str) -> None:
        log.info("session %s: the program that made its calls is gone; it is deleted", sid)
        with suppress(FileNotFoundError):  # RACE: it was ended by another meanwhile
            controls.say(self.member, self.member.layout.session(sid), "delete", WHO)
