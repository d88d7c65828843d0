"""Options and error handling that all console commands share."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from park_spool import config, whereabouts
from park_spool.atomic import Disk
from park_spool.errors import ParkError, SessionError, TemporaryError

# The exit codes; docs/commands.md lists them (tested).
FINE, FAILED, USAGE, REJECTED, TRY_LATER, INTERRUPTED = 0, 1, 2, 3, 75, 130


def session_ids(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the beginning of a session's id in a shell, the newest first; nothing where there is no spool."""
    try:
        settings = config.load(config.find_spool(context.params.get("spool")))
        known = whereabouts.places(Disk(settings.layout.tmp, "complete"), settings.layout)
    except (ParkError, OSError):
        return []
    return sorted((sid for sid in known if sid.startswith(incomplete)), reverse=True)


spool_option = click.option("--spool", metavar="DIR", help="The spool; else $PARK_SPOOL, else ./spool.", default=None)
verbose_option = click.option("--verbose", is_flag=True, help="Log to standard error, too.")
sid_argument = click.argument("prefix", metavar="SID", shell_complete=session_ids)
sids_argument = click.argument("sids", metavar="SID...", nargs=-1, required=True, shell_complete=session_ids)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")


class InOrder(click.Group):
    """A group that lists its verbs in the order in which a user meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what park-spool raises on purpose into one sentence on standard error and an exit code."""

    @functools.wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except ParkError as error:
            fail(str(error), exit_code(error))
        except BrokenPipeError:
            raise  # the reader went away (`| head`): click ends quietly
        except OSError as error:
            fail(f"{error.filename or ''}: {error.strerror or error}".lstrip(": "), FAILED)
        except KeyboardInterrupt:
            fail("interrupted", INTERRUPTED)

    return call


def exit_code(error: ParkError) -> int:
    """Return the exit code for an error: rejected input, try later, or failed."""
    if isinstance(error, SessionError):
        return REJECTED
    return TRY_LATER if isinstance(error, TemporaryError) else FAILED


def fail(sentence: str, code: int) -> NoReturn:
    """End with a sentence on standard error."""
    context = click.get_current_context(silent=True)
    click.echo(f"{context.command_path if context else 'park'}: {sentence}", err=True)
    sys.exit(code)
