"""Telling people of one event of a session, by mail or webhook: what notices.py found to be due.

What is said comes from what was delivered, so that the mail and the folder say the same; of a session that has only
started, or whose answer could not be delivered, from the archive.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from park_spool import admitted, notice_settings, wishes
from park_spool.archive.reading import ArchiveReader
from park_spool.config import Config
from park_spool.delivering import folder, mail, notices, webhook
from park_spool.delivering.gathering import Gathering
from park_spool.errors import ConfigError, NotFound, PermanentError
from park_spool.member import Member
from park_spool.sessions.session import Session
from park_spool.wishes import MAIL, Told

MOST_PICTURES = 6
LOOKS = 5


def tell(member: Member, sid: str, told: Told) -> None:
    """Send one notice, and note that it was sent; nothing if it is not due any more.

    Raises TemporaryError if another try can help, ConfigError for a secret that is not there. What is refused for good
    is noted like what was sent.
    """
    found = admitted.find(member.disk, member.layout, sid)
    if found is None:
        return  # it was deleted
    place, session = found
    names = member.disk.names(place)
    if wishes.edition_of(names) != told.edition or told.name in names:
        return
    try:
        outcome = _send(member, sid, session.session, told)
    except ConfigError:
        raise  # whoever looks after the site mends it
    except PermanentError as error:
        outcome = f"not sent: {error}"
    _note(member, sid, told, outcome)


def _note(member: Member, sid: str, told: Told, outcome: str) -> None:
    note = json.dumps({"by": member.name, "at": member.wall(), "outcome": outcome}, ensure_ascii=False).encode()
    for _ in range(LOOKS):
        found = admitted.find(member.disk, member.layout, sid)
        if found is None:
            return
        with suppress(FileNotFoundError):  # RACE: it was closed, or opened again, since the look
            member.disk.create(found[0] / told.name, note + b"\n")
            return


def _send(member: Member, sid: str, session: Session, told: Told) -> str:
    answer, place = facts(member, sid, told)
    config = member.config
    if told.channel == MAIL:
        post, who = server(config), notices.wanted_by(session, config).addresses
        mail.send(post, message(post.sender, who, told.event, answer, place))
        return f"sent to {', '.join(who)}"
    value = {"event": told.event, "outbox": "" if place is None else str(place), **answer}
    webhook.post(config.webhook, value, notice_settings.secret(config.webhook_secret, config.spool))
    return f"sent to {config.webhook.partition('?')[0]}"


def facts(member: Member, sid: str, told: Told) -> tuple[dict[str, Any], Path | None]:
    """Return the summary of a session as it is delivered, and where its folder is, if there is one."""
    place = member.layout.delivered(sid, told.edition)
    data = member.disk.read(place / folder.SUMMARY) if told.event != notices.STARTED else None
    if data is not None:
        found: dict[str, Any] = json.loads(data)
        return found, place
    gathered = Gathering(ArchiveReader(member.config.archive), member.disk, member.layout, sid)
    return folder.summary(gathered.answer(told.edition), []), None


def server(config: Config) -> mail.Server:
    """Return the site's mail server."""
    password = notice_settings.secret(config.smtp_password, config.spool)
    sender = config.mail_from or f"park-spool@{socket.getfqdn()}"
    return mail.server_of(config.smtp, config.smtp_security, sender, config.smtp_user, password)


def message(sender: str, who: Sequence[str], event: str, answer: dict[str, Any], place: Path | None) -> EmailMessage:
    """Write the mail, with the pictures of best fits and of chi-square where they were delivered."""
    best = [] if place is None else json.loads((place / folder.BEST).read_bytes())
    text = notices.body(event, answer, "" if place is None else str(place), best)
    shown = [] if place is None else [*sorted(place.glob("plots/fit-*.png")), *sorted(place.glob("plots/chisq-*.png"))]
    return mail.compose(sender, who, notices.subject(event, answer), text, shown[:MOST_PICTURES])


def read(name: str) -> Told:
    """Read what is to be told. Raises NotFound if it is nothing."""
    told = wishes.parse_told(name)
    if told is None:
        raise NotFound(f"{name!r} is nothing of which people are told")
    return told
