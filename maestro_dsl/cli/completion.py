"""`maestro completion`: the script that makes a shell complete our command line."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from maestro_dsl.cli.context import print_text

EPILOG = """\b
Examples:
  maestro completion bash >> ~/.bashrc
  maestro completion zsh >> ~/.zshrc
  maestro completion fish > ~/.config/fish/completions/maestro.fish
"""


@click.command("completion", epilog=EPILOG, short_help="Print a completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, *, shell: str) -> None:
    """Print the completion script of SHELL."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}", context)
    root = context.find_root().command
    print_text(kind(root, {}, "maestro", "_MAESTRO_COMPLETE").source())
