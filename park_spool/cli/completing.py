"""`park completion`: the text by which a shell completes verbs, options and session ids."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from park_spool.cli.options import guarded
from park_spool.errors import NotFound

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@guarded
def completion(shell: str) -> None:
    """Print what a shell needs to complete verbs, options and session ids with Tab.

    \b
    Examples:
      eval "$(park completion bash)"                                   in ~/.bashrc
      eval "$(park completion zsh)"                                    in ~/.zshrc
      park completion fish > ~/.config/fish/completions/park.fish
    """
    from park_spool.cli.main import main

    kind = get_completion_class(shell)
    if kind is None:
        raise NotFound(f"nothing is known of the shell {shell!r}: expected {', '.join(SHELLS)}")
    click.echo(kind(main, {}, "park", "_PARK_COMPLETE").source())
