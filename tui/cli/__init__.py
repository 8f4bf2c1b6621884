"""The command line `flatout`. `flatout` is the group with what all commands share, and opens the
console; `commands` finds the rest: a file per command, named as it is called.
"""

from tui.cli.flatout import main

__all__ = ["main"]
