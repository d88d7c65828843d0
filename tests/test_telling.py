"""People are told of what becomes of their sessions: once, by each way they want, in words that agree with the outbox."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from answered import FIT, Sending, close, over, reducer, said
from listening import Keeper, hook, mail_server
from world import World

from park_spool.archive.reading import ArchiveReader
from park_spool.delivering.webhook import SIGNATURE, signature
from park_spool.wishes import parse_told

ALL = [said(5.0), said(2.5), said(3.0)]


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def told(world: World, sid: str) -> dict[str, str]:
    """What people were told of: the notes in the session's folder, and how it went."""
    folder = world.layout.closed_session(sid)
    return {
        name: json.loads((folder / name).read_bytes())["outcome"] for name in os.listdir(folder) if parse_told(name)
    }


def test_a_mail_says_what_came_out_and_shows_it(tmp_path: Path, keeper: Keeper) -> None:
    world = World(tmp_path)
    sid = over(world, FIT, [said(5.0), said(2.5), None])
    with mail_server(keeper) as place:
        close(world, smtp=place, smtp_security="none", notify=("done", "failed"), mail_from="park@example.org")
    [mail] = keeper.messages
    assert mail["Subject"] == "film in D₂O: failed, best chisq 2.5 (chisq/dof 2.5)"
    assert (mail["To"], mail["From"], keeper.recipients) == ("w@x.org", "park@example.org", [["w@x.org"]])
    body = mail.get_body()
    assert body is not None
    text = body.get_content()
    assert "2 of 3 jobs ok, 1 failed" in text and "thickness: 258.86" in text and f"park why {sid}" in text
    assert str(world.layout.outbox / sid) in text
    attached = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    plots = world.layout.outbox / sid / "plots"
    assert attached == {name: (plots / name).read_bytes() for name in ("fit-1.png", "chisq-1.png")}
    assert told(world, sid) == {"told.000001.failed.mail": "sent to w@x.org"}
    [event] = [event for event in ArchiveReader(world.config.archive).events(sid) if event.key.startswith("told")]
    assert (event.what, event.detail) == ("told failed", "sent to w@x.org")


def test_a_webhook_gets_the_summary_signed(tmp_path: Path) -> None:
    world = World(tmp_path)
    (world.root / "secret").write_text("key\n")
    sid = over(world, FIT, ALL)
    with hook() as server:
        close(world, webhook=f"{server.address}/200", webhook_secret="file:secret", notify=("done",))
    [(_, headers, data)] = server.came
    value = json.loads(data)
    assert (value["event"], value["sid"], value["outbox"]) == ("done", sid, str(world.layout.outbox / sid))
    assert value["groups"][0]["best"]["chisq"] == 2.5
    assert headers[SIGNATURE] == signature("key", data)


def test_nobody_is_told_twice_or_of_what_is_not_wanted(tmp_path: Path, keeper: Keeper) -> None:
    world = World(tmp_path)
    quiet = over(world, FIT.replace("name='film in", "notify='cancelled' name='film in"), ALL)
    sid = over(world, FIT, ALL)
    with mail_server(keeper) as place, hook() as server:
        for _ in range(2):
            close(world, smtp=place, smtp_security="none", webhook=f"{server.address}/200", notify=("done",))
    assert len(keeper.messages) == len(server.came) == 1
    assert sorted(told(world, sid)) == ["told.000001.done.mail", "told.000001.done.webhook"]
    assert told(world, quiet) == {}


def test_people_are_told_that_their_session_has_started(tmp_path: Path, keeper: Keeper) -> None:
    world = World(tmp_path)
    sid = over(world, FIT, ALL[:1])  # the other jobs wait
    with mail_server(keeper) as place:
        settings = {"smtp": place, "smtp_security": "none", "notify": ("started",)}
        actors = world.spoold(), reducer(world, Sending(world, **settings), **settings)
        world.let(*actors, turns=10, tick=1.0)
    [mail] = keeper.messages
    assert mail["Subject"] == "film in D₂O: started"
    body = mail.get_body()
    assert body is not None and f"park watch {sid}" in body.get_content()
    assert [name for name in os.listdir(world.layout.session(sid)) if parse_told(name)] == ["told.000001.started.mail"]


@pytest.mark.parametrize("owner", ["unknown@x.org", "grey@x.org"])
def test_what_is_refused_for_good_is_noted_and_what_is_not_is_tried_again(
    tmp_path: Path, keeper: Keeper, owner: str
) -> None:
    world = World(tmp_path)
    sid = over(world, FIT.replace("w@x.org", owner), ALL)
    with mail_server(keeper) as place, hook() as server:
        settings = {"smtp": place, "smtp_security": "none", "webhook": f"{server.address}/503", "notify": ("done",)}
        sending = Sending(world, **settings)
        close(world, sending, turns=60, **settings)
        noted = told(world, sid)
        assert keeper.messages == [] and len(server.came) > 1  # tried again and again
    if owner.startswith("unknown"):
        assert noted["told.000001.done.mail"].startswith("not sent: the mail server 127.0.0.1:")
        assert "550" in noted["told.000001.done.mail"]
    else:
        assert noted == {}
    assert os.listdir(world.layout.outbox) == [sid]  # the answer is there whatever becomes of the notice


def test_a_session_of_long_ago_is_nobodys_news(tmp_path: Path, keeper: Keeper) -> None:
    world = World(tmp_path)
    over(world, FIT, ALL)
    close(world)
    world.clock.now += 2 * 86_400
    with mail_server(keeper) as place:
        close(world, smtp=place, smtp_security="none", notify=("done",))
    assert keeper.messages == []


def test_a_secret_that_cannot_be_read_holds_up_the_notice_alone(
    tmp_path: Path, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path)
    sid = over(world, FIT, ALL)
    with mail_server(keeper) as place:
        close(world, smtp=place, smtp_security="none", smtp_user="park", smtp_password="file:nothing", notify=("done",))
    assert os.listdir(world.layout.outbox) == [sid]
    assert keeper.messages == [] and "'file:nothing' cannot be read" in caplog.text
    assert told(world, sid) == {}
