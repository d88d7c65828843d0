"""Cancelling every pilot that is written down on a spool, whichever master submitted it: what `park down` does last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from park_spool.member import Member
from park_spool.pilots import engines, errand, records, scripts
from park_spool.pilots.clerks import Clerks
from park_spool.pilots.records import Pilot
from park_spool.senders import name_of


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What became of one pilot: `why` it could not be cancelled, empty if it was, or was over."""

    pilot: Pilot
    why: str

    def words(self) -> str:
        """Say it in a sentence."""
        one = f"pilot {self.pilot.job} of {self.pilot.profile} ({self.pilot.engine})"
        if not self.why:
            return f"{one} is cancelled"
        told = (
            f"; it was submitted on {self.pilot.host} by {self.pilot.by}: run `park down` there"
            if self.pilot.host
            else ""
        )
        otherwise = f"it ends by itself when it has no work; if it is gone for good, remove pilots/{self.pilot.name}"
        return f"{one} was not cancelled: {self.why}{told}; without that {otherwise}"


def cancel_all(
    member: Member, clerks: Clerks = errand, tell: Callable[[str], None] = lambda sentence: None
) -> list[Cancelled]:
    """Cancel the pilots that this account has written down, and forget those that are cancelled.

    May wait for the batch systems.
    """
    groups: dict[tuple[str, str], list[Pilot]] = {}
    for pilot in records.read_own(member.disk, member.layout, records.account(member.disk)):
        groups.setdefault((pilot.engine, str(engines.profile_of(pilot))), []).append(pilot)
    found: list[Cancelled] = []
    for (engine, _), pilots in groups.items():
        tell(f"cancelling {len(pilots)} pilots ({engine})")
        found += _cancel(member, clerks, pilots)
    return found


def others(member: Member) -> list[str]:
    """Say of each record of another account that it was left alone, and who may act upon it."""
    found = records.others(member.disk, member.layout, records.account(member.disk))
    return [
        f"pilots/{name} was left alone: it belongs to {name_of(user)}, and what it says is run, so only one's own are "
        f"believed; {name_of(user)} may say `park down`"
        for name, user in found
    ]


def _cancel(member: Member, clerks: Clerks, pilots: list[Pilot]) -> list[Cancelled]:
    why = dict.fromkeys((pilot.job for pilot in pilots), "the batch system said nothing of it")
    for answer in clerks.cancel(engines.profile_of(pilots[0]), pilots).wait():
        why |= dict(answer.get("cancelled", {}))
        if "error" in answer:
            why |= dict.fromkeys((job for job, word in why.items() if word), str(answer["error"]))
    for pilot in pilots:
        if not why[pilot.job]:
            _forget(member, pilot)
    return [Cancelled(pilot, why[pilot.job]) for pilot in pilots]


def _forget(member: Member, pilot: Pilot) -> None:
    scripts.forget(member, scripts.place(member.config), pilot.reach.get("folder"))
    records.remove(member.disk, member.layout, pilot.name)
