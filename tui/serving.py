"""The console in a browser, through textual-serve; on the loopback unless another address is asked for by name."""

import shlex
import sys

import click


def serve(host: str, port: int) -> int:
    """Until it is interrupted. Each page opens a console; only the first holds the account, the others look on."""
    try:
        from textual_serve.server import Server
    except ImportError:
        click.echo("flatout web: this needs textual-serve: pip install 'flatout[web]'", err=True)
        return 2
    before_web = sys.argv[1 : sys.argv.index("web")]
    command = shlex.join([sys.executable, "-m", "tui.cli", *before_web])
    Server(command, host=host, port=port, title="Flatout").serve()
    return 0
