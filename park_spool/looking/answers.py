"""What became of a wish about a session, in words: the command line and the page say the same."""

from __future__ import annotations

from park_spool.control_requests import Answer
from park_spool.looking.standing import Standing

WITHDRAWN = "lay in the inbox: it is taken out again, and lies in rejected/; nothing of it was run"


def words_of(verb: str, answer: Answer, one: Standing, before: int | None = None, now: int | None = None) -> str:
    """Say what became of a wish; of a priority also what it was `before`, and is `now`."""
    match verb:
        case "cancel":
            return cancelled_words(answer, one)
        case "pause":
            return paused_words(answer, one)
        case "resume":
            return resumed_words(answer, one)
        case "delete":
            return deleted_words(answer, one)
    return priority_words(before, now)


def cancelled_words(answer: Answer, one: Standing) -> str:
    """Say what became of a wish to cancel, and what was kept.

    >>> one = Standing("20261123-025532-k3j9", "w", "film.xml", "cancelled", 48, 12, 12, 0, 966.19, "1.1.2")
    >>> cancelled_words(Answer(one.sid, "open"), one)
    'is cancelled; what is done stays: 12 of 48 jobs ok, best chisq 966.19 (job 1.1.2)'
    """
    if answer.before.is_deleted or one.state == "deleted":
        return "was deleted before: there is nothing left to cancel"
    if one.state != "cancelled":
        return f"is {one.state}: there is nothing left to cancel; {counted_jobs(one)}"
    was = "was cancelled before" if answer.before.is_cancelled else "is cancelled"
    return f"{was}; what is done stays: {counted_jobs(one)}"


def paused_words(answer: Answer, one: Standing) -> str:
    was = "was paused before" if answer.before.is_paused else "is paused"
    return f"{was}: nothing more of it is started, what runs goes on; {counted_jobs(one)}"


def resumed_words(answer: Answer, one: Standing) -> str:
    return "goes on" if answer.before.is_paused else "was not paused; it goes on"


def priority_words(before: int | None, now: int | None) -> str:
    """Say which priority a session has now.

    >>> priority_words(0, -5), priority_words(5, 5)
    ('has priority -5 now, before 0', 'has priority 5, as before')
    """
    if before == now:
        return f"has priority {now}, as before"
    return f"has priority {now} now" + (f", before {before}" if before is not None else "")


def deleted_words(answer: Answer, one: Standing) -> str:
    if answer.before.is_deleted:
        return "was deleted before"
    return "is deleted: its results go as soon as nothing of it runs any more"


def counted_jobs(one: Standing) -> str:
    """Say how many jobs of a session went well, and what was best.

    >>> counted_jobs(Standing("20261123-025532-k3j9", "w", "film.xml", "cancelled", 48, 12, 12, 0, 966.19, "1.1.2"))
    '12 of 48 jobs ok, best chisq 966.19 (job 1.1.2)'
    """
    if one.jobs is None:
        return "it is not admitted yet"
    words = f"{one.final} of {one.jobs} jobs have their result" if one.ok is None else f"{one.ok} of {one.jobs} jobs ok"
    if one.best_chisq is not None:
        words += f", best chisq {one.best_chisq:.6g} (job {one.best_job})"
    return words
