"""`maestro lsp`: the language server for editors."""

from __future__ import annotations

import click

from maestro_dsl.cli.context import session
from maestro_dsl.errors import EnvironmentFailure

EPILOG = """\b
Examples:
  maestro lsp                # started by an editor, not by hand
  pip install 'maestro-dsl[lsp]'
"""


@click.command("lsp", epilog=EPILOG, short_help="Serve editors: findings, completion, hover, rename.")
@click.pass_context
def command(context: click.Context) -> None:
    """Serve one editor over standard input and output with the Language Server Protocol.

    Shows findings while you type, completes keys, ids and expressions, explains what the cursor is on, goes
    to definitions, renames, fixes and formats.
    """
    try:
        from maestro_dsl.lsp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"pygls", "lsprotocol", "cattrs", "attrs"}:
            raise
        raise EnvironmentFailure(
            "the language server needs pygls, which is not installed",
            hint="pip install 'maestro-dsl[lsp]'",
        ) from error
    serve(session(context).environ)
