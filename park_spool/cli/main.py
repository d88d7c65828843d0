"""`park`: one command, a verb for each thing that a user does. docs/commands.md describes them all (tested)."""

from __future__ import annotations

import click

import park_spool
from park_spool.cli.archiving import archive
from park_spool.cli.comparing import compare
from park_spool.cli.completing import completion
from park_spool.cli.controlling import cancel, delete, pause, priority, resume
from park_spool.cli.data import data
from park_spool.cli.demo import demo
from park_spool.cli.down import down, restart
from park_spool.cli.env import env
from park_spool.cli.explaining import why
from park_spool.cli.fetching import fetch
from park_spool.cli.history import history
from park_spool.cli.hosts import hosts
from park_spool.cli.installing_service import install_service
from park_spool.cli.keeping import check, init
from park_spool.cli.listing import list_
from park_spool.cli.logs import log
from park_spool.cli.look import look
from park_spool.cli.messages import messages
from park_spool.cli.nodes import drain, nodes
from park_spool.cli.options import InOrder
from park_spool.cli.plotting import plot
from park_spool.cli.pruning import prune
from park_spool.cli.reducing import reduce
from park_spool.cli.rerun import rerun
from park_spool.cli.resubmitting import resubmit
from park_spool.cli.results import results
from park_spool.cli.retrying import retry
from park_spool.cli.serving import serve
from park_spool.cli.settings import config
from park_spool.cli.status import status
from park_spool.cli.submitting import submit, validate
from park_spool.cli.transferring import export, import_
from park_spool.cli.up import up
from park_spool.cli.user_keys import VERBS as KEYS
from park_spool.cli.users import user
from park_spool.cli.waiting import wait
from park_spool.cli.watching import watch

RUNNING = (init, serve, up, down, restart, submit, validate, status, list_, watch, wait)
RESULTS = (results, plot, history, compare, messages, log)
AFTERWARDS = (why, retry, rerun, resubmit, reduce, fetch, export, import_)
CONTROLLING = (cancel, pause, resume, priority, delete)
SITE = (hosts, nodes, look, drain, env, install_service, config, check, archive, prune, data, user, completion, demo)
VERBS = (*RUNNING, *RESULTS, *AFTERWARDS, *CONTROLLING, *SITE)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(park_spool.__version__, prog_name="park")
def main() -> None:
    """A queue of fits for a few machines that share a folder.

    Every verb finds its spool by --spool, else $PARK_SPOOL, else ./spool. Exit codes: 0 fine; 1 the session or check
    failed; 2 usage; 3 rejected input; 75 try again later; 130 interrupted.

    \b
    Examples:
      park demo
      park init spool
      park serve --spool spool
      park submit --spool spool --wait film.xml
      park status --spool spool
    """


for verb in VERBS:
    main.add_command(verb)
for verb in KEYS:
    user.add_command(verb)
